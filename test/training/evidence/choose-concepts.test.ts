import { expect, test } from "vitest";
import { parseVocabulary } from "../../../shared/vocabulary.ts";
import { chooseConcepts, conceptsOf } from "../../../training/evidence/choose-concepts.ts";

const words = "startseq endseq a two dog dogs bus glass man running berries";
const vocabulary = parseVocabulary(["", ...words.split(" ")]);
const say = (...captions: string[]) => ({ captions: captions.map((caption) => caption.split(" ")) });
const times = <Value>(count: number, value: Value): Value[] => new Array<Value>(count).fill(value);

test("singular and plural name one concept where the vocabulary has both; people and closed classes name none", () => {
  expect(Object.fromEntries(conceptsOf(vocabulary))).toEqual({
    ...{ two: "two", dog: "dog", dogs: "dog", bus: "bus", glass: "glass", running: "running", berries: "berries" },
  });
});

test("a concept counts as certain where three captions name it, in whatever number, and needs enough photos", () => {
  const often = say("a dog", "two dogs", "a dog running", "a man", "dogs dogs");
  const seldom = say("a bus", "a man");
  const { concepts, targets, isLabelled } = chooseConcepts([...times(15, often), ...times(20, seldom)], vocabulary);
  expect(concepts).toEqual(["dog"]); // twenty photos of a bus at 0.4 are eight
  expect([targets[0]?.get(0), targets[15]?.size]).toEqual([1, 0]);
  expect(isLabelled).toEqual([false]);
});

test("a photo with words shows them with their probabilities, and nothing that its sentences say", () => {
  const labelled = { ...say("a dog running"), words: new Map([...Object.entries({ buses: 1, bus: 0.75, dogs: 0.5 })]) };
  const { concepts, targets, isLabelled } = chooseConcepts(
    [...times(40, labelled), ...times(40, say("a dog running"))],
    vocabulary,
  );
  expect(concepts).toEqual(["bus", "dog", "running"]);
  expect(Object.fromEntries(targets[0] ?? [])).toEqual({ 0: 0.75, 1: 0.5 });
  expect(Object.fromEntries(targets[40] ?? [])).toEqual({ 1: 0.4, 2: 0.4 });
  expect(isLabelled).toEqual([true, true, false]);
});
