import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { startMadeServer } from "./made-server.ts";

/** A certificate of `openssl req -x509 -newkey ec … -addext subjectAltName=DNS:localhost,IP:127.0.0.1`, for tests alone. */
const tlsFile = (name: string) => fileURLToPath(new URL(`../fixtures/tls/localhost.${name}.pem`, import.meta.url));

/** Keys of one page of a listing: few, so that tests have several pages. */
const keysPerPage = 5;

/** Answers a request before the bucket does; `true` if it has. */
type Fault = (request: { key: string; headers: IncomingHttpHeaders }, response: ServerResponse) => boolean;

/**
 * A bucket, `photos`, that answers as S3 does: with path-style requests of its protocol, and over HTTPS as presigned addresses
 * are used. It checks no signatures, and can be made to fail.
 */
export class MadeBucket {
  readonly objects = new Map<string, Uint8Array>();
  /** Keys that were asked for, with the status of the answer. */
  readonly reads: { key: string; status: number }[] = [];
  fault: Fault = () => false;
  #stop: () => Promise<void> = async () => {};
  /** Where it speaks S3's protocol. */
  endpoint = "";
  /** The origin of addresses of its objects. */
  origin = "";

  /** Starts a bucket that ends with the test. */
  static async start(photos: Record<string, Uint8Array> = {}): Promise<MadeBucket> {
    const bucket = new MadeBucket();
    for (const [key, bytes] of Object.entries(photos)) bucket.objects.set(key, bytes);
    const tls = { key: readFileSync(tlsFile("key"), "utf8"), cert: readFileSync(tlsFile("cert"), "utf8") };
    const listen = (request: IncomingMessage, response: ServerResponse) => bucket.#answer(request, response);
    const servers = [await startMadeServer(listen), await startMadeServer(listen, { tls })];
    [bucket.endpoint = "", bucket.origin = ""] = servers.map(({ origin }) => origin);
    bucket.#stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
    onTestFinished(() => bucket.stop());
    return bucket;
  }

  async stop(): Promise<void> {
    const stop = this.#stop;
    this.#stop = async () => {};
    await stop();
  }

  /** The environment of a program that uses it, and no settings of the person who runs the tests. */
  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_REGION: "auto",
      AWS_ACCESS_KEY_ID: "made",
      AWS_SECRET_ACCESS_KEY: "made",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
      NODE_EXTRA_CA_CERTS: tlsFile("cert"),
    };
  }

  /** Counts the answers with a photo since the last call. */
  takeReads(): string[] {
    return this.reads.splice(0).flatMap(({ key, status }) => (status === 200 ? [key] : []));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://made");
    const [, bucket = "", ...rest] = pathname.split("/");
    const key = decodeURIComponent(rest.join("/"));
    if (this.fault({ key, headers: request.headers }, response)) return;
    if (bucket !== "photos") refuse(response, 404, "NoSuchBucket");
    else if (searchParams.get("list-type") === "2") this.#list(searchParams, response);
    else this.#read(key, { known: request.headers["if-none-match"], response });
  }

  #read(key: string, { known, response }: { known: string | undefined; response: ServerResponse }): void {
    const bytes = this.objects.get(key);
    const status = bytes === undefined ? 404 : known === etagOf(bytes) ? 304 : 200;
    this.reads.push({ key, status });
    if (bytes === undefined) {
      refuse(response, 404, "NoSuchKey");
      return;
    }
    response.writeHead(status, { ETag: etagOf(bytes), "Last-Modified": new Date(0).toUTCString() });
    response.end(status === 200 ? bytes : undefined);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "")).sort();
    const start = Number(query.get("continuation-token") ?? 0);
    const end = start + keysPerPage;
    const contents = keys.slice(start, end).map((key) => {
      const bytes = this.objects.get(key) ?? Buffer.of();
      const name = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
      const etag = etagOf(bytes).replaceAll('"', "&quot;");
      return `<Contents><Key>${name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${etag}</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const next = end < keys.length ? `<NextContinuationToken>${end}</NextContinuationToken>` : "";
    response.writeHead(200, { "Content-Type": "application/xml" });
    response.end(
      `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name><EncodingType>url</EncodingType><IsTruncated>${next !== ""}</IsTruncated>${contents.join("")}${next}</ListBucketResult>`,
    );
  }
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

/** Refuses a request as S3 does. */
export function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "Content-Type": "application/xml" });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>made</Message></Error>`);
}
