import {
  add,
  concat,
  customGrad,
  type GradSaveFunc,
  matMul,
  mul,
  sigmoid,
  split,
  square,
  stack,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tanh,
  transpose,
  unstack,
  zeros,
} from "@tensorflow/tfjs-core";

/** The values of one step that its gradient needs, float32 [rows, units] each, in the order in which they are saved. */
type Step = Record<(typeof stepTensors)[number], Tensor2D>;

const stepTensors = ["inputGate", "forgetGate", "candidate", "outputGate", "cell", "squashed", "hidden"] as const;

/**
 * Keras' LSTM with sigmoid gates over whole sequences, from a zero state. `gates` is the input's part of the gates
 * (kernel and bias), float32 [steps, rows, 4 · units] in the order input, forget, candidate, output; `recurrent`
 * [units, 4 · units]. Returns each step's output, [steps, rows, units]. Its gradient is written by hand: one product
 * for the recurrent kernel instead of one per step, and a third of the operations that the tape would record.
 */
export const runLstm: (gates: Tensor3D, recurrent: Tensor2D) => Tensor3D = customGrad<Tensor3D>(
  (...args: (Tensor | GradSaveFunc)[]) => {
    const [gates, recurrent, save] = args as [Tensor3D, Tensor2D, GradSaveFunc]; // customGrad appends the last
    const steps: Step[] = [];
    for (const share of unstack(gates) as Tensor2D[])
      steps.push(runLstmStep(share, { recurrent, before: steps.at(-1) }));
    save([recurrent, ...steps.flatMap((step) => stepTensors.map((name) => step[name]))]);
    return {
      value: stack(steps.map(({ hidden }) => hidden)) as Tensor3D,
      gradFunc: (outer: Tensor3D, [kernel, ...saved]: Tensor[]) =>
        backward(unstack(outer) as Tensor2D[], { recurrent: kernel as Tensor2D, steps: stepsOf(saved as Tensor2D[]) }),
    };
  },
) as (gates: Tensor3D, recurrent: Tensor2D) => Tensor3D;

/** Runs one step. `share` is the input's share of the gates, [rows, 4 · units]; `before` is undefined in the first step. */
export function runLstmStep(
  share: Tensor2D,
  { recurrent, before }: { recurrent: Tensor2D; before: Pick<Step, "hidden" | "cell"> | undefined },
): Step {
  const sum = before === undefined ? share : add(share, matMul(before.hidden, recurrent));
  const [input, forget, proposal, output] = split(sum, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
  const [inputGate, forgetGate, outputGate] = [sigmoid(input), sigmoid(forget), sigmoid(output)];
  const candidate = tanh(proposal);
  const added = mul(inputGate, candidate);
  const cell = (before === undefined ? added : add(mul(forgetGate, before.cell), added)) as Tensor2D;
  const squashed = tanh(cell);
  const hidden = mul(outputGate, squashed) as Tensor2D;
  return { inputGate, forgetGate, candidate, outputGate, cell, squashed, hidden };
}

function stepsOf(saved: readonly Tensor2D[]): Step[] {
  return Array.from({ length: saved.length / stepTensors.length }, (_, step) => {
    const own = saved.slice(step * stepTensors.length);
    return Object.fromEntries(stepTensors.map((name, index) => [name, own[index]])) as Step;
  });
}

/** Computes the gradients of `gates` and `recurrent` from those of the outputs, last step first. */
function backward(
  outer: readonly Tensor2D[],
  { recurrent, steps }: { recurrent: Tensor2D; steps: readonly Step[] },
): Tensor[] {
  const transposed = transpose(recurrent); // a copy: the WebAssembly backend is slow with a flagged transpose
  const ofGates: Tensor2D[] = [];
  let ofHidden: Tensor2D | undefined;
  let ofCell: Tensor2D | undefined;
  for (const [index, step] of [...steps.entries()].reverse()) {
    const arriving = outer[index] as Tensor2D; // one per step
    const hidden = ofHidden === undefined ? arriving : add(arriving, ofHidden);
    const throughOutput = mul(mul(hidden, step.outputGate), sub(1, square(step.squashed)));
    const cell = ofCell === undefined ? throughOutput : add(throughOutput, ofCell);
    const before = steps[index - 1];
    const forgotten = before === undefined ? zeros(cell.shape) : mul(mul(cell, before.cell), slope(step.forgetGate));
    const own = concat(
      [
        mul(mul(cell, step.candidate), slope(step.inputGate)),
        forgotten,
        mul(mul(cell, step.inputGate), sub(1, square(step.candidate))),
        mul(mul(hidden, step.squashed), slope(step.outputGate)),
      ] as Tensor2D[],
      1,
    );
    ofGates.unshift(own);
    ofHidden = matMul(own, transposed) as Tensor2D;
    ofCell = mul(cell, step.forgetGate) as Tensor2D;
  }
  return [stack(ofGates), ofRecurrent(steps, ofGates)];
}

/** The derivative of a sigmoid, from its value. */
function slope(gate: Tensor2D): Tensor {
  return sub(gate, square(gate));
}

/**
 * Computes the gradient of the recurrent kernel: each step's previous hidden state times the gradient of its gates,
 * summed in one product over all steps.
 */
function ofRecurrent(steps: readonly Step[], ofGates: readonly Tensor2D[]): Tensor {
  const [first] = steps;
  const [firstGates] = ofGates;
  if (first === undefined || firstGates === undefined) throw new Error("expected sequences of at least one step");
  const units = first.hidden.shape[1];
  if (steps.length === 1) return zeros([units, 4 * units]);
  const before = concat(steps.slice(0, -1).map(({ hidden }) => hidden));
  return matMul(transpose(before), concat([...ofGates.slice(1)]));
}
