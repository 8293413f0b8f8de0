import ipaddr from "ipaddr.js";
import { quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";

/** From which hosts photos are fetched: from any public one, from none, or from those named. */
export type SourceHosts = "any" | "none" | readonly string[];

export interface SourceRules {
  hosts: SourceHosts;
  /** Host names of this worker and of the services behind it. */
  ownHosts: readonly string[];
}

/** Ends of names that mean something only inside somebody's network (RFC 6761, 6762, 8375, and what routers hand out). */
const privateSuffixes = ["localhost", "local", "internal", "home.arpa", "lan", "home", "corp", "intranet", "private"];

/**
 * Checks that a photo may be fetched from an address; each hop of a redirect is checked like the first. A host that is
 * named in the rules without an asterisk is trusted, wherever it is. What a public name resolves to cannot be seen here.
 * Throws `source_unreachable`.
 */
export function expectFetchable(url: URL, { hosts, ownHosts }: SourceRules): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(`addresses with ${quote(url.protocol)}`);
  if (url.username !== "" || url.password !== "") throw refused("addresses with a user name or password");
  if (hosts === "none") throw refused("any address: photos are taken as bytes alone");
  const name = url.hostname.replace(/\.$/, "");
  if (hosts !== "any") {
    if (hosts.includes(url.host) || hosts.includes(name)) return;
    if (!hosts.some((pattern) => isWildcardFor(pattern, name))) throw refused(`addresses of ${quote(name)}`);
  }
  if (ownHosts.includes(name)) throw refused("addresses of our own");
  if (!isPublicHost(name)) throw refused(`private addresses such as ${quote(name)}`);
}

function refused(what: string): CaptionError {
  return new CaptionError("source_unreachable", `photos are not fetched from ${what}`);
}

/** `*.example.com` stands for every name below example.com. */
function isWildcardFor(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") && name.endsWith(pattern.slice(1));
}

/** The URL parser has brought all spellings of an IPv4 address to four decimal numbers, and bracketed IPv6. */
function isPublicHost(name: string): boolean {
  const literal = name.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal)) return isPublicAddress(ipaddr.parse(literal));
  return name.includes(".") && !privateSuffixes.some((suffix) => name.endsWith(`.${suffix}`));
}

/** Global unicast, and of IPv6 only what is handed out (2000::/3): older forms can hold an IPv4 address of any kind. */
function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const isHandedOut = !("parts" in address) || (address.parts[0] ?? 0) >> 13 === 1;
  return isHandedOut && address.range() === "unicast";
}
