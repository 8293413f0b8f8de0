import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import iconv from "iconv-lite";
import { expect, test } from "vitest";
import { readCsv } from "../../files/read-csv.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const needs = ["path", "caption"];

async function tableOf(bytes: Uint8Array | string): Promise<string> {
  const path = join(await temporaryFolder(), "table.csv");
  await writeFile(path, bytes);
  return path;
}

const rows = [{ path: "Müller.jpg", caption: "Ein Café, zwei “Kaffee” – für 5 €" }];
const table = (delimiter: string, end = "\r\n") =>
  `path${delimiter}caption${end}Müller.jpg${delimiter}"Ein Café, zwei “Kaffee” – für 5 €"${end}`;

test.each([
  ["UTF-8", Buffer.from(table(","))],
  ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${table(";")}`)],
  ["UTF-16, as Excel saves Unicode text", iconv.encode(table("\t"), "utf-16le", { addBOM: true })],
  ["big-endian UTF-16", iconv.encode(table(","), "utf-16be", { addBOM: true })],
  ["Windows-1252, as Excel saves CSV", iconv.encode(table(";"), "windows-1252")],
  ["Windows-1252 behind Excel's hint", iconv.encode(`sep=;\r\n${table(";")}`, "windows-1252")],
])("reads a table in %s", async (_, bytes) => {
  expect((await readCsv(await tableOf(bytes), { needs })).rows).toEqual(rows);
});

test("takes the delimiter of the heading, whatever the captions contain", async () => {
  const path = await tableOf("path;caption\na.jpg;one, two, three\nb.jpg;four, five, six\n");
  expect((await readCsv(path, { needs })).rows.map(({ caption }) => caption)).toEqual([
    "one, two, three",
    "four, five, six",
  ]);
});

test.each([
  ["Polish Windows-1250", iconv.encode("path;caption\nb.jpg;Mała dziewczynka na plaży\n", "windows-1250")],
  ["Russian Windows-1251", iconv.encode("path;caption\nb.jpg;собака на пляже\n", "windows-1251")],
  ["Greek Windows-1253", iconv.encode("path;caption\nb.jpg;ένας σκύλος\n", "windows-1253")],
  ["Turkish Windows-1254", iconv.encode("path;caption\nb.jpg;ışık kuş ağaç\n", "windows-1254")],
  ["Mac Roman", iconv.encode("path;caption\nb.jpg;zwei Mädchen im Café\n", "macintosh")],
  ["the code page of a DOS box", iconv.encode("path;caption\nb.jpg;Mädchen im Café\n", "cp850")],
  ["Shift JIS", iconv.encode("path;caption\nb.jpg;犬がいる\n", "shift_jis")],
  ["UTF-16 without a mark", iconv.encode("path;caption\nb.jpg;Ein Hund\n", "utf-16le")],
  ["a workbook", Buffer.from("PK\u0003\u0004\u0014\u0000\u0006\u0000", "latin1")],
])("refuses %s with a sentence", async (_, bytes) => {
  const path = await tableOf(bytes);
  await expect(readCsv(path, { needs })).rejects.toThrow(
    `${path}: expected text in UTF-8, UTF-16 with a byte order mark or Windows-1252, found another encoding`,
  );
});
