import { isFunctionWord } from "./content-words.ts";
import { lemmaOf } from "./lemma.ts";

/** Words that replace `count` words of a caption from index `first` on. They may be none. */
export interface WordChange {
  first: number;
  count: number;
  words: readonly string[];
}

interface PersonNoun {
  /** The neutral noun's singular and plural, each of one word or more. */
  one: string;
  many: string;
  isPlural: boolean;
  isGendered: boolean;
}

/** Nouns that name a person's sex, as singular and plural, and the neutral ones. Roles without an accepted neutral noun, such as bride, stay. */
const nouns = new Map(
  [...nounsOf("person,people:person,people child,children:child,children", false)].concat([
    ...nounsOf(
      "man,men:person,people woman,women:person,people guy,guys:person,people lady,ladies:person,people " +
        "gentleman,gentlemen:person,people gal,gals:person,people dude,dudes:person,people bloke,blokes:person,people " +
        "male,males:person,people female,females:person,people boy,boys:child,children girl,girls:child,children " +
        "lad,lads:child,children son,sons:child,children daughter,daughters:child,children " +
        "schoolboy,schoolboys:schoolchild,schoolchildren schoolgirl,schoolgirls:schoolchild,schoolchildren " +
        "mother,mothers:parent,parents father,fathers:parent,parents mom,moms:parent,parents mum,mums:parent,parents dad,dads:parent,parents " +
        "grandmother,grandmothers:grandparent,grandparents grandfather,grandfathers:grandparent,grandparents " +
        "grandma,grandmas:grandparent,grandparents grandpa,grandpas:grandparent,grandparents " +
        "brother,brothers:sibling,siblings sister,sisters:sibling,siblings husband,husbands:spouse,spouses wife,wives:spouse,spouses " +
        "boyfriend,boyfriends:partner,partners girlfriend,girlfriends:partner,partners " +
        "businessman,businessmen:businessperson,businesspeople businesswoman,businesswomen:businessperson,businesspeople " +
        "policeman,policemen:police_officer,police_officers policewoman,policewomen:police_officer,police_officers " +
        "fireman,firemen:firefighter,firefighters fisherman,fishermen:angler,anglers workman,workmen:worker,workers " +
        "salesman,salesmen:salesperson,salespeople cameraman,cameramen:camera_operator,camera_operators " +
        "sportsman,sportsmen:athlete,athletes waitress,waitresses:waiter,waiters actress,actresses:actor,actors",
      true,
    ),
  ]),
);

/** Adjectives of sex, which go; without an apostrophe, "men's" is one of them. */
const adjectives = new Set("male female mens womens".split(" "));
/** Singular possessives that cleaning left without their apostrophe. */
const possessives = new Map([
  ["mans", "persons"],
  ["womans", "persons"],
]);

const numbers = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const articles = new Set(["a", "an"]);
const agreeing = new Map([
  ["is", "are"],
  ["was", "were"],
  ["has", "have"],
  ["does", "do"],
]);
/** A noun may have as many adjectives to be joined with another: more words are rarely all adjectives. */
const maxAdjectives = 2;

/**
 * Finds the words of an English caption that name people's sex, and what replaces them: person and child for man, woman, boy
 * and girl, they for he and she. Several of one kind become a number: "a man and a woman" is "two people".
 */
export function findNeutralChanges(words: readonly string[]): WordChange[] {
  const changes: WordChange[] = [];
  for (let at = 0; at < words.length; ) {
    const change = joinedPeople(words, at) ?? changeAt(words, at);
    if (change !== undefined) changes.push(change);
    at += change?.count ?? 1;
  }
  return withArticles(words, changes);
}

/** A noun for a person with the words before it that belong to it. */
interface NounPhrase {
  determiner: string | undefined;
  adjectives: readonly string[];
  noun: PersonNoun;
  /** Index after the noun. */
  end: number;
}

/** Joins the people of one kind that "and" connects from `first` on. */
function joinedPeople(words: readonly string[], first: number): WordChange | undefined {
  const start = phraseAt(words, first);
  if (start === undefined || (start.determiner === undefined && !start.noun.isPlural && isDescribed(words, first)))
    return undefined;
  const phrases = [start];
  for (let last = start; words[last.end] === "and"; ) {
    const next = phraseAt(words, last.end + 1);
    const isAlike =
      next?.noun.one === start.noun.one && [start.adjectives.join(" "), ""].includes(next.adjectives.join(" "));
    if (next === undefined || !isAlike) break;
    phrases.push(next);
    last = next;
  }
  if (phrases.length === 1 || !phrases.some(({ noun }) => noun.isGendered)) return undefined;
  const total = phrases.reduce<number | undefined>((sum, phrase) => {
    const people = countOf(phrase);
    return sum === undefined || people === undefined ? undefined : sum + people;
  }, 0);
  const number = total === undefined ? undefined : numbers[total];
  const parts = [
    ...(start.determiner === "the" ? ["the"] : []),
    ...(number === undefined ? [] : [number]),
    ...start.adjectives,
    ...split(start.noun.many),
  ];
  return { first, count: (phrases.at(-1) ?? start).end - first, words: parts };
}

/** Whether the word before a bare noun describes it, so that the noun does not stand alone. */
function isDescribed(words: readonly string[], at: number): boolean {
  const before = words[at - 1];
  return before !== undefined && (!isFunctionWord(before) || isDeterminer(before));
}

function phraseAt(words: readonly string[], first: number): NounPhrase | undefined {
  const word = words[first] ?? "";
  const determiner = isDeterminer(word) ? word : undefined;
  const most = determiner === undefined ? 0 : maxAdjectives;
  const from = determiner === undefined ? first : first + 1;
  for (let at = from; at <= from + most; at += 1) {
    const noun = nouns.get(words[at] ?? "");
    if (noun !== undefined && !isAdjectiveAt(words, at)) {
      return { determiner, adjectives: words.slice(from, at), noun, end: at + 1 };
    }
    if (isFunctionWord(words[at] ?? "")) return undefined;
  }
  return undefined;
}

function isDeterminer(word: string): boolean {
  return articles.has(word) || word === "the" || word === "another" || numbers.includes(word);
}

/** Undefined for plurals without a number. */
function countOf({ determiner = "", noun }: NounPhrase): number | undefined {
  const number = numbers.indexOf(determiner);
  if (number > 0) return number;
  return noun.isPlural ? undefined : 1;
}

/** Returns what replaces a single word. */
function changeAt(words: readonly string[], at: number): WordChange | undefined {
  const word = words[at] ?? "";
  const [before, next] = [words[at - 1], words[at + 1]];
  const to = (replacement: readonly string[], count = 1) => ({ first: at, count, words: replacement });
  const noun = nouns.get(word);
  if (adjectives.has(word) && isAdjectiveAt(words, at)) return to([]);
  if (noun?.isGendered) {
    if (before === "baby") return noun.isPlural ? undefined : to([]);
    if (noun.isPlural && articles.has(before ?? "")) return to(split(`${noun.one}s`)); // "a boys face", without its apostrophe
    return to(split(noun.isPlural ? noun.many : noun.one));
  }
  if (word === "baby" && nouns.get(next ?? "")?.isGendered && nouns.get(next ?? "")?.isPlural) return to(["babies"], 2);
  const possessive = possessives.get(word);
  if (possessive !== undefined) return to([possessive]);
  if (next === "or" && /^(?:his|he) (?:hers?|she)$/.test(`${word} ${words[at + 2]}`)) {
    return to([word === "he" ? "they" : "their"], 3);
  }
  return pronounAt(words, at);
}

function pronounAt(words: readonly string[], at: number): WordChange | undefined {
  const next = words[at + 1];
  const isBeforeNoun = next !== undefined && !isFunctionWord(next);
  const pronouns: Record<string, string> = {
    him: "them",
    himself: "themselves",
    herself: "themselves",
    hers: "theirs",
    his: isBeforeNoun ? "their" : "theirs",
    her: isBeforeNoun ? "their" : "them",
  };
  const word = words[at] ?? "";
  if (Object.hasOwn(pronouns, word)) return { first: at, count: 1, words: [pronouns[word] ?? word] };
  if (word !== "he" && word !== "she") return undefined;
  if (next === undefined) return { first: at, count: 1, words: ["they"] };
  return { first: at, count: 2, words: ["they", agreeing.get(next) ?? (next.endsWith("s") ? lemmaOf(next) : next)] };
}

/** Whether a word like "male" describes the next one, instead of naming a person. */
function isAdjectiveAt(words: readonly string[], at: number): boolean {
  const next = words[at + 1];
  return (
    adjectives.has(words[at] ?? "") && (!nouns.has(words[at] ?? "") || (next !== undefined && !isFunctionWord(next)))
  );
}

/** Adds the articles before changed words that are now another: "a male athlete" is "an athlete". */
function withArticles(words: readonly string[], changes: readonly WordChange[]): WordChange[] {
  return changes.flatMap((change, index) => {
    const at = change.first - 1;
    const article = words[at] ?? "";
    const isFree = (changes[index - 1]?.first ?? -1) + (changes[index - 1]?.count ?? 1) <= at;
    const following = change.words[0] ?? words[change.first + change.count];
    if (!articles.has(article) || !isFree || following === undefined) return [change];
    const wanted = /^[aeiou]/.test(following) && !/^(?:uni|one|eu)/.test(following) ? "an" : "a";
    return wanted === article ? [change] : [{ first: at, count: 1, words: [wanted] }, change];
  });
}

function split(phrase: string): string[] {
  return phrase.split("_");
}

function* nounsOf(list: string, isGendered: boolean): Generator<[string, PersonNoun]> {
  for (const entry of list.split(" ")) {
    const [singular = "", plural = "", one = "", many = ""] = entry.split(/[,:]/);
    yield [singular, { one, many, isPlural: false, isGendered }];
    yield [plural, { one, many, isPlural: true, isGendered }];
  }
}
