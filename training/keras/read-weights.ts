import { open } from "node:fs/promises";
import { Dataset, File, Group, ready } from "h5wasm/node";
import type { Weight } from "../../captioner/networks/layers-model.ts";
import { describeFileError } from "../../files/file-error.ts";

/** A layer with weights, and their names and shapes in Keras' order. */
export interface WeightedLayer {
  name: string;
  weights: readonly { name: string; shape: readonly number[] }[];
}

/** A weight with its name, such as `kernel`, and its layer's. */
export interface NamedWeight extends Weight {
  layer: string;
  name: string;
}

/**
 * Reads the weights of these layers from a file in Keras' `.h5` format, of a whole model or of its weights alone:
 * float32, in the layers' order. Layers are matched by order, as Keras does, since their names carry numbers that
 * depend on what else the saving process had created. One extra layer, a classifier, is ignored. Errors name the file,
 * layer and tensor. Source of the format: Keras 3.15 `src/legacy/saving/legacy_h5_format.py`.
 */
export function readKerasWeights(path: string, layers: readonly WeightedLayer[]): Promise<NamedWeight[]> {
  return readHdf5(path, (file) => readLayers(file, layers));
}

function readLayers(file: Group, layers: readonly WeightedLayer[]): NamedWeight[] {
  const found = weightedGroups(file);
  if (found.length !== layers.length && found.length !== layers.length + 1) {
    throw new Error(
      `expected ${layers.length} layers with weights, or ${layers.length + 1} with the classifier, found ${found.length}: it is of another network`,
    );
  }
  return layers.flatMap((layer, index) => {
    const saved = found[index];
    if (saved === undefined) throw new Error(`layer ${layer.name} is missing`);
    return readLayer(saved, layer);
  });
}

interface SavedLayer {
  name: string;
  group: Group;
  weightNames: string[];
}

/** Lists the layers with weights, in the file's order, which is the network's. */
function weightedGroups(file: Group): SavedLayer[] {
  const inner = file.get("model_weights");
  const root = inner instanceof Group ? inner : file;
  if (!("layer_names" in root.attrs)) {
    const hint = file.get("layers") instanceof Group ? ": save it in the older format, as model.h5" : "";
    throw new Error(`expected a Keras model or its weights with an attribute layer_names, found none${hint}`);
  }
  return namesIn(root, "layer_names").flatMap((name) => {
    const group = root.get(name);
    if (!(group instanceof Group)) throw new Error(`layer ${name} is listed but missing`);
    const weightNames = namesIn(group, "weight_names");
    return weightNames.length > 0 ? [{ name, group, weightNames }] : [];
  });
}

/** Reads names from an attribute; Keras pads them with zero bytes. */
function namesIn(group: Group, attribute: string): string[] {
  const value = group.attrs[attribute]?.value;
  if (!Array.isArray(value)) return [];
  return value.map((name) => String(name).replace(/\0+$/, ""));
}

function readLayer({ name: savedName, group, weightNames }: SavedLayer, layer: WeightedLayer): NamedWeight[] {
  const place = savedName === layer.name ? savedName : `${savedName} (in the place of ${layer.name})`;
  const names = layer.weights.map(({ name }) => name);
  const savedNames = weightNames.map(ownName);
  const superfluous = savedNames.find((name) => !names.includes(name));
  if (superfluous !== undefined) {
    throw new Error(`layer ${place}: expected the tensors ${names.join(", ")}, found ${superfluous}, too`);
  }
  return layer.weights.map(({ name, shape }) => {
    const dataset = group.get(weightNames[savedNames.indexOf(name)] ?? name);
    if (!(dataset instanceof Dataset)) throw new Error(`layer ${place}: its tensor ${name} is missing`);
    return { layer: layer.name, name, shape, values: readTensor(dataset, { place: `${place}/${name}`, shape }) };
  });
}

/** Returns `kernel` for `conv2d_1/kernel:0`. */
function ownName(path: string): string {
  return (path.split("/").at(-1) ?? path).replace(/:\d+$/, "");
}

function readTensor(dataset: Dataset, { place, shape }: { place: string; shape: readonly number[] }): Float32Array {
  if (dataset.shape?.join() !== shape.join()) {
    throw new Error(`expected tensor ${place} of shape [${shape.join(", ")}], found [${dataset.shape?.join(", ")}]`);
  }
  const { value } = dataset;
  if (!(value instanceof Float32Array)) {
    throw new Error(`expected tensor ${place} of float32, found ${JSON.stringify(dataset.dtype)}`);
  }
  if (!value.every(Number.isFinite)) throw new Error(`tensor ${place} holds a number that is not finite`);
  return value;
}

/** Runs `read` on an open HDF5 file. Errors name the file and reduce HDF5's report to its innermost reason. */
async function readHdf5<Result>(path: string, read: (file: Group) => Result): Promise<Result> {
  await expectSignature(path);
  const { activate_throwing_error_handler: throwErrors } = await ready;
  throwErrors(); // otherwise they are printed
  try {
    const file = new File(path, "r");
    try {
      return read(file);
    } finally {
      file.close();
    }
  } catch (cause) {
    throw new Error(`${path}: ${describeReason(cause)}`, { cause });
  }
}

const signature = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");

async function expectSignature(path: string): Promise<void> {
  const beginning = await readBeginning(path);
  if (beginning.equals(signature)) return;
  if (beginning.length === 0) throw new Error(`${path}: expected an HDF5 file, found an empty one`);
  const found = JSON.stringify(beginning.toString("latin1"));
  throw new Error(`${path}: expected an HDF5 file, found one that begins with ${found}`);
}

async function readBeginning(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(signature.length), 0, signature.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new Error(describeFileError(cause, { path }) ?? path, { cause });
  }
}

/**
 * Extracts the innermost reason; HDF5 reports a stack, `#006: …/H5Fsuper.c line 577 in H5F__super_read(): truncated
 * file: …`.
 */
function describeReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const innermost = [...message.matchAll(/^ *#\d+: .*?\(\): (.*)$/gm)].at(-1)?.[1];
  return innermost === undefined ? message : `expected a whole HDF5 file, found a damaged one (${innermost})`;
}
