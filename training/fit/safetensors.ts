import * as z from "zod";

/**
 * Named float32 arrays in one file, in the safetensors format: the header's length as uint64, the header as JSON, the
 * values, all little-endian. Source: github.com/huggingface/safetensors, README "Format".
 */
export interface Tensors {
  values: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>;
  metadata: Record<string, string>;
}

const metadataName = "__metadata__";
const tensorSchema = z.object({
  dtype: z.literal("F32"),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.object({ [metadataName]: z.record(z.string(), z.string()) }).catchall(tensorSchema);

/** Encodes arrays as the parts of a file, in order. */
export function encodeSafetensors({ values, metadata }: Tensors): Uint8Array[] {
  const header: Record<string, unknown> = { [metadataName]: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of values) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]); // aligns the values
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = [...values.values()].map((tensor) => tensor.data);
  return [
    length,
    padded,
    ...data.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  ];
}

/** Decodes a file. Throws a sentence for another kind of file, or one that is cut off. */
export function decodeSafetensors(bytes: Uint8Array): Tensors {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = file.length < 8 ? Number.NaN : Number(file.readBigUInt64LE());
  if (!(8 + headerLength <= file.length))
    throw new Error(`expected a safetensors file, found ${file.length} bytes of another`);
  const header = headerSchema.parse(JSON.parse(file.toString("utf8", 8, 8 + headerLength)));
  const { [metadataName]: metadata, ...tensors } = header;
  const start = 8 + headerLength;
  const values = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [
    name,
    {
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(tensors)) {
    if (start + to > file.length) throw new Error(`expected ${start + to} bytes or more, found ${file.length}`);
    const own = new Uint8Array(file.subarray(start + from, start + to)); // a copy, aligned
    values.set(name, { shape, data: new Float32Array(own.buffer) });
  }
  return { values, metadata };
}
