import * as z from "zod";

/** One entry of a weights manifest. Source of the format: tfjs-core 4.22 `src/io/types.ts`. */
export const weightSpecSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.literal("float32"),
  quantization: z.object({ dtype: z.enum(["uint8", "uint16"]), min: z.number(), scale: z.number() }).optional(),
});

type WeightSpec = z.infer<typeof weightSpecSchema>;

/** float32 values in row-major order. */
export interface Weight {
  shape: readonly number[];
  values: Float32Array;
}

const bytesPerValue = { float32: 4, uint8: 1, uint16: 2 } as const;

/** Cuts the weight files, joined in the manifest's order, into named weights. Errors name the weight. */
export function decodeWeights(specs: readonly WeightSpec[], bytes: Uint8Array): [string, Weight][] {
  let offset = 0;
  const decoded = specs.map((spec): [string, Weight] => {
    const length = sizeOf(spec.shape) * bytesPerValue[spec.quantization?.dtype ?? "float32"];
    const end = offset + length;
    if (end > bytes.length) {
      throw new Error(`the weight files end inside ${spec.name}: expected ${end} bytes or more, found ${bytes.length}`);
    }
    const values = decodeWeight(spec, new Uint8Array(bytes.subarray(offset, end)));
    offset = end;
    return [spec.name, { shape: spec.shape, values }];
  });
  if (offset !== bytes.length) throw new Error(`expected ${offset} bytes of weights, found ${bytes.length}`);
  return decoded;
}

/**
 * float32 values from the bytes of one weight. `bytes` starts its own buffer, so that typed arrays lie aligned on it;
 * the format is little-endian, as is every machine that Node runs on.
 */
function decodeWeight({ name, quantization }: WeightSpec, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (quantization === undefined) {
    const values = new Float32Array(bytes.buffer);
    if (!values.every(Number.isFinite)) throw new Error(`weight ${name} holds a number that is not finite`);
    return values;
  }
  const { dtype, min, scale } = quantization;
  const quantized = dtype === "uint8" ? bytes : new Uint16Array(bytes.buffer);
  const values = new Float32Array(quantized.length);
  for (let index = 0; index < values.length; index++) values[index] = (quantized[index] ?? 0) * scale + min;
  return values;
}

/** How many values a tensor of this shape holds. */
function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
