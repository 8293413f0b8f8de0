import { type DataSize, fineTuneRecipe } from "./fine-tune.ts";
import type { Preset, Recipe, TrainingPhase } from "./recipe.ts";

export const recipes: Record<Exclude<Preset, "fine-tune">, Recipe> = {
  default: {
    phases: [
      { epochs: 24, batch: { captions: 128 }, learningRate: 1.2e-3, schedule: "cosine" },
      {
        epochs: 12,
        batch: { photos: 64, samples: 5, anchor: 0.05, pseudoAnchor: 0.05 },
        learningRate: 5e-4,
        schedule: "cosine",
      },
    ],
    dropout: { image: 0.4, words: 0.3, merge: 0.3 },
    featureFloor: 0.06,
    labelSmoothing: 0.1,
    maxGradientNorm: 2,
    averageDecay: 0.999,
    patience: 4,
    keeps: "mean of phases",
  },
  /** The tutorial's recipe, except for dropout: a caption's prefixes share their masks. */
  tutorial: {
    phases: [
      { epochs: 20, batch: { photos: 3 }, learningRate: 1e-3, schedule: "constant" },
      { epochs: 10, batch: { photos: 6 }, learningRate: 1e-4, schedule: "constant" },
    ],
    dropout: { image: 0.5, words: 0.5, merge: 0 },
    labelSmoothing: 0,
    keeps: "last epoch",
  },
};

/** The preset to use, and what overrides it. */
interface RecipeSettings {
  /** Undefined: `default`, or `fine-tune` if training continues from a bundle. */
  preset?: Preset | undefined;
  from?: string | undefined;
  epochs?: number | undefined;
  /** Captions. */
  batch?: number | undefined;
  learningRate?: number | undefined;
}

/** Number of captions over all epochs of the default preset's first phase: the more data, the fewer epochs. */
const captionsLearnt = 600_000;
const fewestEpochs = 6;

/** Chooses a preset. If epochs, batch or rate are given, they override those of the first phase, which is then the only one. */
export function chooseRecipe({ preset, from, epochs, batch, learningRate }: RecipeSettings, size: DataSize): Recipe {
  const name = preset ?? (from === undefined ? "default" : "fine-tune");
  const recipe = presetRecipe(name, size);
  const [first] = recipe.phases;
  if (first === undefined || [epochs, batch, learningRate].every((given) => given === undefined)) return recipe;
  const changed: TrainingPhase = {
    ...first,
    epochs: epochs ?? first.epochs,
    batch: batch === undefined ? first.batch : { ...("captions" in first.batch ? first.batch : {}), captions: batch },
    learningRate: learningRate ?? first.learningRate,
  };
  return { ...recipe, phases: [changed] };
}

function presetRecipe(name: Preset, size: DataSize): Recipe {
  if (name === "fine-tune") return fineTuneRecipe(size);
  const recipe = recipes[name];
  const [first, ...others] = recipe.phases;
  if (name !== "default" || first === undefined) return recipe;
  const epochs = Math.max(fewestEpochs, Math.min(first.epochs, Math.round(captionsLearnt / size.trainingCaptions)));
  return { ...recipe, phases: [{ ...first, epochs }, ...others] };
}
