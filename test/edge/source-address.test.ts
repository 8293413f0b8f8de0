import { describe, expect, it } from "vitest";
import { expectFetchable, type SourceHosts } from "../../edge/source-address.ts";

const ownHosts = ["captions.example", "service.example"];

function check(address: string, hosts: SourceHosts = "any"): void {
  expectFetchable(new URL(address), { hosts, ownHosts });
}

const refusal = expect.objectContaining({ code: "source_unreachable" });

describe("a photo's address", () => {
  it.each([
    "https://photos.example/dog.jpg",
    "http://photos.example:8080/dog.jpg?size=large",
    "https://93.184.215.14/dog.jpg",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/dog.jpg",
    "https://localhost.example/dog.jpg",
    "https://10.0.0.1.example/dog.jpg",
  ])("may be public: %s", (address) => {
    expect(() => check(address)).not.toThrow();
  });

  it.each([
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://localhost./",
    "http://a.localhost/",
    "http://printer/",
    "http://nas.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://router.home.arpa/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254./",
    "http://192.0.2.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[fe80::1]/",
    "http://[fd12:3456::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
  ])("may not be private: %s", (address) => {
    expect(() => check(address)).toThrow(refusal);
  });

  it.each(["https://captions.example/v1/model", "http://captions.example.:81/", "https://SERVICE.example/"])(
    "may not be our own: %s",
    (address) => {
      expect(() => check(address)).toThrow("addresses of our own");
    },
  );

  it.each([
    ["ftp://photos.example/", 'with "ftp:"'],
    ["file:///etc/passwd", 'with "file:"'],
    ["data:image/png;base64,AAAA", 'with "data:"'],
    ["https://user@photos.example/", "with a user name or password"],
    ["https://:secret@photos.example/", "with a user name or password"],
  ])("may not be of another kind: %s", (address, why) => {
    expect(() => check(address)).toThrow(`photos are not fetched from addresses ${why}`);
  });
});

describe("the list of hosts", () => {
  const hosts = ["photos.example", "*.cdn.example", "192.168.1.7", "localhost:9000", "*.service.example"];

  it.each([
    "https://photos.example/1.jpg",
    "https://photos.example:8443/1.jpg",
    "https://eu.cdn.example/1.jpg",
    "http://192.168.1.7/1.jpg",
    "http://localhost:9000/1.jpg",
  ])("lets in what it names, private hosts too: %s", (address) => {
    expect(() => check(address, hosts)).not.toThrow();
  });

  it.each([
    "https://other.example/",
    "https://cdn.example/",
    "https://evilcdn.example/",
    "https://a.photos.example/",
    "http://localhost:9001/",
    "http://192.168.1.8/",
    "https://captions.example/",
  ])("keeps out everything else: %s", (address) => {
    expect(() => check(address, hosts)).toThrow(refusal);
  });

  it("does not make a private host public by an asterisk", () => {
    expect(() => check("http://a.internal/", ["*.internal"])).toThrow("private addresses");
    expect(() => check("http://service.example/", ["*.example"])).toThrow("addresses of our own");
  });

  it("may be none at all", () => {
    expect(() => check("https://photos.example/", "none")).toThrow("photos are taken as bytes alone");
  });
});
