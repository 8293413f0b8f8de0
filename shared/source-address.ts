import ipaddr from "ipaddr.js";
import { CaptionError, quote } from "./errors.ts";

/** Hosts from which photos are fetched: any public one, none, or those named. */
export type SourceHosts = "any" | "none" | readonly string[];

/** Parses a setting of hosts: `any`, `none`, or names between commas. */
export function parseSourceHosts(text: string): SourceHosts {
  if (text === "any" || text === "none") return text;
  return text.split(",").flatMap((host) => host.trim().toLowerCase() || []);
}

export interface SourceRules {
  hosts: SourceHosts;
  /** Host names of this worker and of its services. */
  ownHosts: readonly string[];
}

/** Suffixes that no public host has, or that mean something else in private networks, by source. */
const specialSuffixes: ReadonlySet<string> = new Set([
  // IANA, Special-Use Domain Names; no name under .arpa is a site (https://www.iana.org/assignments/special-use-domain-names)
  ...["alt", "arpa", "example", "invalid", "local", "localhost", "onion", "test"],
  // ICANN: for private use (2024), and never to be delegated, since private networks use them (2018)
  ...["internal", "corp", "home", "mail"],
  // RFC 6762, appendix G: used in private networks before .local
  ...["intranet", "lan", "private"],
  // Undelegated, and used by routers, resolvers, containers and clusters; fritz.box is the router's own name
  ...["belkin", "cluster", "consul", "dhcp", "docker", "domain", "fritz.box", "gateway", "homelab", "ip", "kubernetes"],
  ...["localdomain", "localhost6", "localnet", "node", "pod", "router", "svc", "vpn", "workgroup"],
  // Networks on top of the internet's (draft-grothoff-iesg-special-use-p2p-names; Tailscale, ENS)
  ...["bit", "eth", "exit", "gnu", "i2p", "ts.net", "zkey"],
  // Public names that routers answer for, and names that contain the address they resolve to
  ...["router.asus.com", "routerlogin.net", "tplinkwifi.net"],
  ...["localtest.me", "lvh.me", "nip.io", "sslip.io", "traefik.me", "vcap.me", "xip.io"],
]);

/** Lower ports belong to other protocols: 22, 25, … */
const firstFreePort = 1024;

/**
 * Checks that a photo may be fetched from an address; each hop of a redirect is checked like the first. A host named in the
 * rules without an asterisk is trusted, wherever it is. The address that a public name resolves to is not visible here.
 * Throws `source_unreachable`.
 */
export function expectFetchable(url: URL, { hosts, ownHosts }: SourceRules): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(`addresses with ${quote(url.protocol)}`);
  if (url.username !== "" || url.password !== "") throw refused("addresses with a user name or password");
  if (hosts === "none") throw refused("any address here (SOURCE_HOSTS): send the photo itself");
  const name = url.hostname.replace(/\.$/, "");
  if (hosts !== "any") {
    if (hosts.includes(url.host) || hosts.includes(name)) return;
    if (!hosts.some((pattern) => isWildcardFor(pattern, name))) throw refused(`addresses of ${quote(name)}`);
  }
  if (ownHosts.includes(name)) throw refused("addresses of our own");
  if (!isPublicHost(name)) throw refused(`private addresses such as ${quote(name)}`);
  if (url.port !== "" && Number(url.port) < firstFreePort) throw refused(`port ${url.port}`);
}

function refused(what: string): CaptionError {
  return new CaptionError("source_unreachable", `photos are not fetched from ${what}`);
}

/** Whether a pattern such as `*.example.com`, which means every name below example.com, includes a name. */
function isWildcardFor(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") && name.endsWith(pattern.slice(1));
}

/** Whether a host is public. The URL parser has normalized all spellings of IPv4 to four decimal numbers, and brackets IPv6. */
function isPublicHost(name: string): boolean {
  const literal = name.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal)) return isPublicAddress(ipaddr.parse(literal));
  const labels = name.split(".");
  const ends = labels.map((_, index) => labels.slice(index).join("."));
  return labels.length > 1 && !labels.includes("") && !ends.some((end) => specialSuffixes.has(end));
}

/** Whether an address is global unicast; for IPv6 only the allocated part (2000::/3), since older forms can contain any IPv4 address. */
function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const isAllocated = !("parts" in address) || (address.parts[0] ?? 0) >> 13 === 1;
  return isAllocated && address.range() === "unicast";
}
