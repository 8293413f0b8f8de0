import fc from "fast-check";
import { describe, expect, test } from "vitest";
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
  test.each([
    ["between other fields", `${part('name="a"', "1")}${part('name="image"', "photo")}${part('name="b"', "2")}--cut--`],
    ["before an epilogue, its name without quotation marks", `${part("name=image", "photo")}--cut--\r\nbye`],
    [
      "with headers in any case and order",
      "--cut\r\nX-A: b\r\ncontent-disposition: form-data; name=image\r\n\r\nphoto\r\n--cut--",
    ],
    ["after an empty line", `\r\n${part('name="image"', "photo")}--cut--`],
    [
      "after a preamble, as RFC 2046 allows",
      `for readers of mail\r\n--cuts\r\n${part('name="image"', "photo")}--cut--\r\n`,
    ],
    [
      "with its parameters in capitals",
      "--cut\r\nCONTENT-DISPOSITION: FORM-DATA; NAME=image; FILENAME=A\r\n\r\nphoto\r\n--cut--",
    ],
    ["with a file name in Latin-1", `${part('filename="\xe9t\xe9.jpg"; name="image"', "photo")}--cut--`],
    ["with a file name in UTF-8", `${part('filename="\xe6\x97\xa5.jpg"; name="image"', "photo")}--cut--`],
    ["with a file name by RFC 8187", `${part(`name="image"; filename*=UTF-8''%e6%97%a5.jpg`, "photo")}--cut--`],
    ["with escaped characters in its name", `${part('name="im\\age"', "photo")}--cut--`],
    ["whose parameters have spaces around", `${part(' name = "image" ; filename = a', "photo")}--cut--`],
    ["whose header is folded", "--cut\r\nContent-Disposition: form-data;\r\n\tname=image\r\n\r\nphoto\r\n--cut--"],
    [
      "where spaces follow the boundary",
      "--cut \t\r\nContent-Disposition: form-data; name=image\r\n\r\nphoto\r\n--cut--",
    ],
    ["after a part without headers", `--cut\r\n\r\nnothing\r\n${part('name="image"', "photo")}--cut--`],
    ["after a part without anything", `--cut\r\n\r\n${part('name="image"', "photo")}--cut--`],
    [
      "after a part without a content",
      `--cut\r\nContent-Disposition: form-data; name=a\r\n\r\n${part('name="image"', "photo")}--cut--`,
    ],
    [
      "whose file name pretends to be another field's name",
      `${part('filename="x; name=\\"b\\""; name="image"', "photo")}--cut--`,
    ],
  ])("is found %s", (_, body) => {
    expect(read(body)).toBe("photo");
  });

  test("keeps line ends, dashes and half boundaries of its content", () => {
    const content = "\r\n--cu\r\n--cutter\r\n\r\r\n\n---\r\n--\r\n-";
    expect(read(`${part('name="image"', content)}--cut--`)).toBe(content);
  });

  test("may be empty", () => {
    expect(read(`${part('name="image"', "")}--cut--`)).toBe("");
  });

  test.each([
    'multipart/form-data; charset=utf-8; boundary="cut"',
    "Multipart/Form-Data; BOUNDARY=cut ; charset=utf-8",
    'multipart/form-data;x-boundary=other;boundary="c\\ut"',
  ])("is found by the boundary of %s", (type) => {
    expect(read(`${part('name="image"', "photo")}--cut--`, type)).toBe("photo");
  });

  test("is found by a boundary with a space in it", () => {
    expect(
      read(
        "--c t\r\nContent-Disposition: form-data; name=image\r\n\r\nphoto\r\n--c t--",
        'multipart/form-data; boundary="c t"',
      ),
    ).toBe("photo");
  });

  test("is what stood in the form, wherever its bytes fall: 400 made forms", () => {
    const made = fc.record({
      preamble: fc.constantFrom("", "\r\n", "preamble\r\n", "--cu\r\n"),
      before: fc.array(fc.string({ unit: fc.constantFrom("\r", "\n", "-", "c", "~"), maxLength: 12 }), {
        maxLength: 3,
      }),
      content: fc.string({ unit: fc.constantFrom("\r", "\n", "-", "c", "u", "~"), maxLength: 40 }),
      epilogue: fc.constantFrom("", "\r\n", "\r\n--cut\r\n"),
    });
    const property = fc.property(made, ({ preamble, before, content, epilogue }) => {
      const others = before.map((text) => part('name="other"', text)).join("");
      expect(read(`${preamble}${others}${part('name="image"', content)}--cut--${epilogue}`)).toBe(content);
    });
    fc.assert(property, { numRuns: 400 });
  });

  test("is found in time that grows with the body alone, whatever stands in it", () => {
    const type = `multipart/form-data; boundary=${"-".repeat(70)}`;
    const body = encode(`\r\n${"-".repeat(4_000_000)}\r\n--x`);
    expect(() => readField(body, { contentType: type, name: "image" })).toThrow("expected");
    const disposition = `name=image${';a="'.repeat(2000)}`;
    expect(read(`${part(disposition, "photo")}--cut--`)).toBe("photo");
  });

  test("is a view into the body, not a copy", () => {
    const body = encode(`${part('name="image"', "photo")}--cut--`);
    expect(readField(body, { contentType, name: "image" }).buffer).toBe(body.buffer);
  });
});

describe("a multipart body is refused", () => {
  test.each([
    ["without boundary", "--cut--", "multipart/form-data", /boundary/],
    ["without any part", "--cut--", contentType, /received no fields/],
    [
      "without the field, naming those that came",
      `${part('name="file"', "photo")}--cut--`,
      contentType,
      /named image, received "file"/,
    ],
    ["with the field twice", `${part('name="image"', "1").repeat(2)}--cut--`, contentType, /more than one/],
    ["with an empty boundary", "--\r\n", 'multipart/form-data; boundary=""', /to name its boundary/],
    ["cut off in the content", part('name="image"', "photo"), contentType, /cut short/],
    ["cut off in a head", "--cut\r\nContent-Disposition: form", contentType, /cut short/],
    ["that is none", "photo of a cat", contentType, /expected a line of --cut/],
    ["that is empty", "", contentType, /expected a line of --cut/],
    [
      "with another boundary",
      `${part('name="image"', "1")}--cut--`,
      "multipart/form-data; boundary=cu",
      /a line of --cu,/,
    ],
    [
      "whose field's name is no text",
      "--cut\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n--cut--",
      contentType,
      /received "\ufffd"/,
    ],
    ["with too many fields", `${part('name="a"', "1").repeat(21)}--cut--`, contentType, /at most 20 fields/],
    [
      "with endless headers",
      `${part(`name="image"; filename="${"x".repeat(10_000)}"`, "1")}--cut--`,
      contentType,
      /headers of at most 8192 bytes/,
    ],
  ])("%s", (_, body, type, message) => {
    expect(() => read(body, type)).toThrow(CaptionError);
    expect(() => read(body, type)).toThrow(message);
  });
});
