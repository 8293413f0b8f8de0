import { describe, expect, it } from "vitest";
import { readField } from "../../edge/multipart.ts";
import { CaptionError } from "../../shared/errors.ts";

const contentType = "multipart/form-data; boundary=cut";

function read(body: string, type = contentType): string {
  return new TextDecoder().decode(readField(encode(body), { contentType: type, name: "image" }));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Array.from(text, (character) => character.charCodeAt(0)));
}

function part(disposition: string, content: string): string {
  return `--cut\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
}

describe("a multipart field", () => {
  it.each([
    ["between other fields", `${part('name="a"', "1")}${part('name="image"', "photo")}${part('name="b"', "2")}--cut--`],
    ["before an epilogue, its name without quotation marks", `${part("name=image", "photo")}--cut--\r\nbye`],
    [
      "with headers in any case and order",
      "--cut\r\nX-A: b\r\ncontent-disposition: form-data; name=image\r\n\r\nphoto\r\n--cut--",
    ],
    [
      "whose file name pretends to be another field's name",
      `${part('filename="x; name=\\"b\\""; name="image"', "photo")}--cut--`,
    ],
  ])("is found %s", (_, body) => {
    expect(read(body)).toBe("photo");
  });

  it("keeps line ends, dashes and half boundaries of its content", () => {
    const content = "\r\n--cu\r\n\r\n--\r\n-";
    expect(read(`${part('name="image"', content)}--cut--`)).toBe(content);
  });

  it("may be empty", () => {
    expect(read(`${part('name="image"', "")}--cut--`)).toBe("");
  });

  it("is found behind a boundary in quotation marks", () => {
    expect(read(`${part('name="image"', "photo")}--cut--`, 'multipart/form-data; charset=utf-8; boundary="cut"')).toBe(
      "photo",
    );
  });

  it("is a view into the body, not a copy", () => {
    const body = encode(`${part('name="image"', "photo")}--cut--`);
    expect(readField(body, { contentType, name: "image" }).buffer).toBe(body.buffer);
  });
});

describe("a multipart body is refused", () => {
  it.each([
    ["without boundary", "--cut--", "multipart/form-data", /boundary/],
    ["without any part", "--cut--", contentType, /received no fields/],
    [
      "without the field, naming those that came",
      `${part('name="file"', "photo")}--cut--`,
      contentType,
      /named image, received "file"/,
    ],
    ["with the field twice", `${part('name="image"', "1").repeat(2)}--cut--`, contentType, /more than one/],
    ["cut off in the content", part('name="image"', "photo"), contentType, /not finished/],
    ["cut off in a head", "--cut\r\nContent-Disposition: form", contentType, /not finished/],
    ["that is none", "photo of a cat", contentType, /missing initial boundary/],
    ["that is empty", "", contentType, /received no fields/],
    [
      "whose header is no text",
      "--cut\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n--cut--",
      contentType,
      /cannot be read/,
    ],
    ["with too many fields", `${part('name="a"', "1").repeat(21)}--cut--`, contentType, /count of 20/],
    [
      "with endless headers",
      `${part(`name="image"; filename="${"x".repeat(10_000)}"`, "1")}--cut--`,
      contentType,
      /header size/,
    ],
  ])("%s", (_, body, type, message) => {
    expect(() => read(body, type)).toThrow(CaptionError);
    expect(() => read(body, type)).toThrow(message);
  });
});
