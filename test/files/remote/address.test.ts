import { describe, expect, test } from "vitest";
import { isAddress, nameAddress, readAddress } from "../../../files/remote/address.ts";

describe("an address", () => {
  test.each([
    ["s3://photos/a.jpg", { kind: "object", bucket: "photos", key: "a.jpg" }],
    ["S3://photos/2026//a b%20?x#y.jpg", { kind: "object", bucket: "photos", key: "2026//a b%20?x#y.jpg" }],
    ["s3://photos", { kind: "prefix", bucket: "photos", prefix: "" }],
    ["s3://photos/", { kind: "prefix", bucket: "photos", prefix: "" }],
    ["s3://photos/2026/", { kind: "prefix", bucket: "photos", prefix: "2026/" }],
    ["s3://photos/2026-*", { kind: "prefix", bucket: "photos", prefix: "2026-" }],
    ["https://example.org/a b.jpg?x=1#y", { kind: "web", url: "https://example.org/a%20b.jpg?x=1#y" }],
  ])("%s means what it says", (address, meant) => {
    expect(readAddress(address, { hosts: "any" })).toEqual(meant);
  });

  test.each([
    ["http://example.org/a.jpg", "expected an address like https://"],
    ["https://", "expected an address like https://"],
    ["s3:///a.jpg", "expected an address like https://"],
    ["gs://photos/a.jpg", "expected an address like https://"],
    ["https://user:word@example.org/a.jpg", "without a user name or password"],
    ["https://169.254.169.254/latest/meta-data", "private addresses"],
    ["https://[::1]/a.jpg", "private addresses"],
    ["https://photos.internal/a.jpg", "private addresses"],
    ["https://example.org:22/a.jpg", "port 22"],
  ])("%s is refused", (address, reason) => {
    expect(readAddress(address, { hosts: "any" })).toEqual({ kind: "refused", error: expect.stringContaining(reason) });
  });

  test("of a private host is read from if the host is named, and no other is then", () => {
    const hosts = ["photos.internal"];
    expect(readAddress("https://photos.internal/a.jpg", { hosts })).toMatchObject({ kind: "web" });
    expect(readAddress("https://example.org/a.jpg", { hosts })).toMatchObject({ kind: "refused" });
  });

  test.each([
    ["https://Example.org/a.jpg?X-Amz-Signature=s3cr3t#s3cr3t", "https://example.org/a.jpg"],
    ["https://user:s3cr3t@example.org:8443/a.jpg?s3cr3t", "https://example.org:8443/a.jpg"],
    ["http://s3cr3t@example.org/a.jpg?s3cr3t", "http://example.org/a.jpg"],
    ["https://?s3cr3t", "https://"],
    ["s3://photos/a?b#c.jpg", "s3://photos/a?b#c.jpg"],
  ])("%s is named without secrets", (address, name) => {
    expect(nameAddress(address)).toBe(name);
  });

  test.each([
    ["photos/a.jpg", false],
    ["C://photos/a.jpg", false],
    ["./s3://photos", false],
    ["s3://photos", true],
    ["HTTPS://example.org", true],
  ])("is told from a path: %s", (place, expected) => {
    expect(isAddress(place)).toBe(expected);
  });
});
