import { describe, expect, test } from "vitest";
import { expectFetchable, type SourceHosts } from "../../shared/source-address.ts";

const ownHosts = ["captions.example.com", "service.example.com"];

function check(address: string, hosts: SourceHosts = "any"): void {
  expectFetchable(new URL(address), { hosts, ownHosts });
}

const refusal = expect.objectContaining({ code: "source_unreachable" });

describe("a photo's address", () => {
  test.each([
    "https://photos.example.com/dog.jpg",
    "http://photos.example.com:8080/dog.jpg?size=large",
    "https://93.184.215.14/dog.jpg",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/dog.jpg",
    "https://localhost.example.com/dog.jpg",
    "https://10.0.0.1.example.com/dog.jpg",
  ])("may be public: %s", (address) => {
    expect(() => check(address)).not.toThrow();
  });

  test.each([
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
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:2::1]/",
    "http://[2620:4f:8000::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://192.0.0.192/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://240.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://10.0.0.1%2e/",
  ])("may not be private: %s", (address) => {
    expect(() => check(address)).toThrow(refusal);
  });

  test.each([
    ...["localhost.localdomain", "a.localdomain", "kubernetes.default.svc", "x.default.svc.cluster.local", "a.pod"],
    ...["x.test", "x.example", "x.invalid", "x.alt", "x.onion", "x.i2p", "1.0.0.10.in-addr.arpa", "ipv4only.arpa"],
    ...["x.home.arpa", "service.arpa", "x.mail", "x.corp", "x.home", "x.lan", "x.private", "x.intranet", "x.internal"],
    ...[
      "fritz.box",
      "nas.fritz.box",
      "speedport.ip",
      "x.consul",
      "host.docker",
      "machine.tailnet.ts.net",
      "x.eth",
      "127.0.0.1.nip.io",
      "localtest.me",
    ],
    ...["localhost..", "foo.localhost..", "metadata.google.internal..", "photos.example.com..", ".example.com"],
    ...["photos..example.com", "PRINTER", "X.LOCAL.", "x。local"],
  ])("may not be a name that a public host cannot have: %s", (host) => {
    expect(() => check(`http://${host}/`)).toThrow(refusal);
  });

  test.each([
    "https://photos.mailbox.com/",
    "https://svc.com/",
    "https://test.org/",
    "https://local.photos.net/",
    "https://home.cern/",
  ])("may have a label that ends no name: %s", (address) => {
    expect(() => check(address)).not.toThrow();
  });

  test.each([22, 25, 143, 993])("may not be on another protocol's port: %i", (port) => {
    expect(() => check(`http://photos.example.com:${port}/`)).toThrow(`photos are not fetched from port ${port}`);
  });

  test.each([
    "https://captions.example.com/v1/model",
    "http://captions.example.com.:81/",
    "https://SERVICE.example.com/",
  ])("may not be our own: %s", (address) => {
    expect(() => check(address)).toThrow("addresses of our own");
  });

  test.each([
    ["ftp://photos.example.com/", 'with "ftp:"'],
    ["file:///etc/passwd", 'with "file:"'],
    ["data:image/png;base64,AAAA", 'with "data:"'],
    ["https://user@photos.example.com/", "with a user name or password"],
    ["https://:secret@photos.example.com/", "with a user name or password"],
  ])("may not be of another kind: %s", (address, why) => {
    expect(() => check(address)).toThrow(`photos are not fetched from addresses ${why}`);
  });
});

describe("the list of hosts", () => {
  const hosts = ["photos.example.com", "*.cdn.example.com", "192.168.1.7", "localhost:9000", "*.service.example.com"];

  test.each([
    "https://photos.example.com/1.jpg",
    "https://photos.example.com:8443/1.jpg",
    "https://eu.cdn.example.com/1.jpg",
    "http://192.168.1.7/1.jpg",
    "http://localhost:9000/1.jpg",
  ])("lets in what it names, private hosts too: %s", (address) => {
    expect(() => check(address, hosts)).not.toThrow();
  });

  test.each([
    "https://other.example.com/",
    "https://cdn.example.com/",
    "https://evilcdn.example.com/",
    "https://a.photos.example.com/",
    "http://localhost:9001/",
    "http://192.168.1.8/",
    "https://captions.example.com/",
  ])("keeps out everything else: %s", (address) => {
    expect(() => check(address, hosts)).toThrow(refusal);
  });

  test("does not make a private host public by an asterisk", () => {
    expect(() => check("http://a.internal/", ["*.internal"])).toThrow("private addresses");
    expect(() => check("http://service.example.com/", ["*.example.com"])).toThrow("addresses of our own");
  });

  test("may be none at all", () => {
    expect(() => check("https://photos.example.com/", "none")).toThrow(
      "photos are not fetched from any address here (SOURCE_HOSTS): send the photo itself",
    );
  });
});
