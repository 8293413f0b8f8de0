import type { LayersModel } from "../../captioner/networks/layers-model.ts";
import { html } from "../../shared/html.ts";
import { countByClass, countParameters, type DescribedLayer, describeLayers } from "./describe-layers.ts";
import { grouped, shapeText } from "./figures.ts";
import { type GraphNode, modelGraph } from "./model-graph.ts";
import type { ReportInput } from "./report-input.ts";
import { type Section, table } from "./section.ts";

const encoderName = "photo encoder";

/** The network: the decoder layer by layer, the encoder as one box. */
export function modelSection({ bundle }: ReportInput): Section {
  const [encoder, decoder] = [bundle.readEncoder(), bundle.readDecoder()];
  const evidence = bundle.readEvidence();
  const layers = describeLayers(decoder);
  const { featureSize } = bundle.manifest.encoder;
  const parameters = { encoder: countParameters(encoder), decoder: countParameters(decoder) };
  const nodes = [encoderNode(encoder, bundle.manifest), ...layers.map((layer) => decoderNode(layer, featureSize))];
  return {
    id: "model",
    title: "Model",
    body: html`<p>${grouped(parameters.encoder + parameters.decoder)} parameters: ${grouped(parameters.encoder)} in the encoder, which turns a photo into
${grouped(featureSize)} features once, and ${grouped(parameters.decoder)} in the decoder, which runs for each word.${
      evidence === undefined
        ? ""
        : ` Word detectors with ${grouped(countParameters(evidence))} parameters, which run once, add a score for each word in the search.`
    } Shapes are those of each box's output; n is
the batch.</p>
${modelGraph(nodes, `The encoder feeds the decoder, whose layers are: ${layers.map(({ name, kind }) => `${name} (${kind})`).join(", ")}.`)}
${table({
  caption: "The decoder's layers",
  heading: ["layer", "class", "reads", "output", "parameters"],
  textColumns: 3,
  rows: layers.map(({ name, kind, inputs, shape, parameters: own }) => [
    name,
    kind,
    inputs.join(", ") || "–",
    shape === undefined ? "–" : shapeText(shape),
    grouped(own),
  ]),
})}${table({
  caption: `The encoder's ${grouped(encoder.layers.length)} layers by class`,
  heading: ["class", "layers", "parameters"],
  rows: countByClass(encoder).map(({ name, layers: count, parameters: own }) => [name, grouped(count), grouped(own)]),
})}`,
  };
}

function encoderNode(encoder: LayersModel, { encoder: { featureSize } }: ReportInput["bundle"]["manifest"]): GraphNode {
  return {
    name: encoderName,
    lines: [
      `${grouped(encoder.layers.length)} layers, ${shapeText([null, featureSize])}`,
      `${grouped(countParameters(encoder))} parameters`,
    ],
    inputs: [],
    isWhole: true,
  };
}

/** The encoder's features enter at the input of their size. */
function decoderNode({ name, kind, inputs, shape, parameters }: DescribedLayer, featureSize: number): GraphNode {
  const takesFeatures = kind === "InputLayer" && shape?.[1] === featureSize;
  return {
    name,
    lines: [kind, `${shape === undefined ? "" : shapeText(shape)}${parameters > 0 ? ` · ${grouped(parameters)}` : ""}`],
    inputs: takesFeatures ? [encoderName] : inputs,
  };
}
