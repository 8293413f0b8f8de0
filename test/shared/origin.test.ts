import { describe, expect, onTestFinished, test } from "vitest";
import { parseOrigin } from "../../shared/origin.ts";

describe("an origin", () => {
  test.each([
    ["https://captions.example.com", "https://captions.example.com"],
    ["https://captions.example.com/", "https://captions.example.com"],
    ["http://localhost:8787", "http://localhost:8787"],
    ["HTTPS://Captions.example.com:443", "https://captions.example.com"],
  ])("is read: %s", (text, origin) => {
    expect(parseOrigin(text)?.origin).toBe(origin);
  });

  test.each([
    "",
    "captions.example.com",
    "/v1/captions",
    "https://captions.example.com/v1",
    "https://captions.example.com/?beam=3",
    "https://captions.example.com/#top",
    "https://user:password@captions.example.com",
    "ftp://captions.example.com",
    "file:///photos",
  ])("is told from what is none: %s", (text) => {
    expect(parseOrigin(text)).toBeUndefined();
  });

  test("is read without URL.parse, which the oldest browsers that the page runs in do not have", () => {
    const parse = Object.getOwnPropertyDescriptor(URL, "parse") ?? {};
    Reflect.deleteProperty(URL, "parse");
    onTestFinished(() => void Object.defineProperty(URL, "parse", parse));

    expect(parseOrigin("https://captions.example.com")?.origin).toBe("https://captions.example.com");
    expect(parseOrigin("captions")).toBeUndefined();
  });
});
