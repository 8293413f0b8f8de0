import { CaptionError } from "../../shared/errors.ts";
import { expectFetchable, type SourceHosts } from "../../shared/source-address.ts";

/** What distinguishes a photo's bytes from those that were at its address before: HTTP's validators. */
export interface Version {
  etag?: string | undefined;
  /** As the server wrote it. */
  lastModified?: string | undefined;
}

/** A photo that is not on a disk of this machine. */
export type RemotePhoto =
  | { kind: "object"; bucket: string; key: string; listed?: ListedObject }
  /** `url` may have a query that lets whoever knows it in: never write it anywhere. */
  | { kind: "web"; url: string }
  /** In a list, and cannot be read, because of what its address says. */
  | { kind: "refused"; error: string };

/** What a bucket's listing says of an object. */
export interface ListedObject {
  etag: string | undefined;
  bytes: number;
  changedMs: number;
}

/** All objects of a bucket whose keys begin with `prefix`. */
interface ObjectPrefix {
  kind: "prefix";
  bucket: string;
  prefix: string;
}

const scheme = /^[a-z][a-z\d+.-]+:\/\//i; // of two letters or more: C:// is a disk

/** Whether a place is an address and no path. */
export function isAddress(place: string): boolean {
  return scheme.test(place);
}

/** Returns an address as messages and outputs name it: without query, fragment and user name, which may be secrets. */
export function nameAddress(address: string): string {
  const object = readObjectAddress(address);
  if (object !== undefined) return nameObject(object);
  const url = parseUrl(address);
  if (url?.protocol === "https:") return `${url.origin}${url.pathname}`;
  return address.replace(/[?#].*$/s, "").replace(/^([^/]*\/\/)[^/]*@/, "$1");
}

/** Returns the address of an object. Keys are text as it is: `%20` in one is three characters. */
export function nameObject({ bucket, key }: { bucket: string; key: string }): string {
  return `s3://${bucket}/${key}`;
}

/** Reads what an address means: `s3://bucket/` and `s3://bucket/2024*` are prefixes, all other addresses mean one photo. */
export function readAddress(address: string, { hosts }: { hosts: SourceHosts }): RemotePhoto | ObjectPrefix {
  const object = readObjectAddress(address);
  if (object === undefined) return readWebAddress(address, hosts);
  const { bucket, key } = object;
  if (key === "" || key.endsWith("/")) return { kind: "prefix", bucket, prefix: key };
  return key.endsWith("*") ? { kind: "prefix", bucket, prefix: key.slice(0, -1) } : { kind: "object", ...object };
}

/** Parses a URL, as `URL.parse` does, which the first versions of Node 20 lack. */
export function parseUrl(text: string, base?: URL): URL | undefined {
  return URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
}

function readObjectAddress(address: string): { bucket: string; key: string } | undefined {
  const [, bucket, key = ""] = /^s3:\/\/([\w.-]+)(?:\/(.*))?$/is.exec(address) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

function readWebAddress(address: string, hosts: SourceHosts): RemotePhoto {
  const url = parseUrl(address);
  if (url?.protocol !== "https:") {
    return { kind: "refused", error: "expected an address like https://host/photo.jpg or s3://bucket/photo.jpg" };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", error: "expected an address without a user name or password" };
  }
  try {
    expectFetchable(url, { hosts, ownHosts: [] });
    return { kind: "web", url: url.href };
  } catch (error) {
    if (!(error instanceof CaptionError)) throw error;
    return { kind: "refused", error: `${error.message}; --source-hosts ${url.host} allows it` };
  }
}
