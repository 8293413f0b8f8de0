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

/** Ends of names that no public host has, or that mean something else inside somebody's network, by who says so. */
const specialSuffixes: ReadonlySet<string> = new Set([
  // IANA, Special-Use Domain Names; of .arpa none is a site (https://www.iana.org/assignments/special-use-domain-names)
  ...["alt", "arpa", "example", "invalid", "local", "localhost", "onion", "test"],
  // ICANN: for private use (2024), and never to be delegated because of the networks that use them (2018)
  ...["internal", "corp", "home", "mail"],
  // RFC 6762, appendix G: in private networks before there was .local
  ...["intranet", "lan", "private"],
  // Undelegated, and handed out by routers, resolvers, containers and clusters; Fritz!Box answers to its own name at home
  ...["belkin", "cluster", "consul", "dhcp", "docker", "domain", "fritz.box", "gateway", "homelab", "ip", "kubernetes"],
  ...["localdomain", "localhost6", "localnet", "node", "pod", "router", "svc", "vpn", "workgroup"],
  // Networks on top of the internet's (draft-grothoff-iesg-special-use-p2p-names; Tailscale, ENS)
  ...["bit", "eth", "exit", "gnu", "i2p", "ts.net", "zkey"],
  // Public names that routers answer for, and whose own words say which address they stand for
  ...["router.asus.com", "routerlogin.net", "tplinkwifi.net"],
  ...["localtest.me", "lvh.me", "nip.io", "sslip.io", "traefik.me", "vcap.me", "xip.io"],
]);

/** Below are other protocols' ports: 22, 25, … */
const firstFreePort = 1024;

/**
 * Checks that a photo may be fetched from an address; each hop of a redirect is checked like the first. A host that is
 * named in the rules without an asterisk is trusted, wherever it is. What a public name resolves to cannot be seen here.
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

/** `*.example.com` stands for every name below example.com. */
function isWildcardFor(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") && name.endsWith(pattern.slice(1));
}

/** The URL parser has brought all spellings of an IPv4 address to four decimal numbers, and bracketed IPv6. */
function isPublicHost(name: string): boolean {
  const literal = name.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal)) return isPublicAddress(ipaddr.parse(literal));
  const labels = name.split(".");
  const ends = labels.map((_, index) => labels.slice(index).join("."));
  return labels.length > 1 && !labels.includes("") && !ends.some((end) => specialSuffixes.has(end));
}

/** Global unicast, and of IPv6 only what is handed out (2000::/3): older forms can hold an IPv4 address of any kind. */
function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const isHandedOut = !("parts" in address) || (address.parts[0] ?? 0) >> 13 === 1;
  return isHandedOut && address.range() === "unicast";
}
