/**
 * Dictionary forms of English words, by rules and lists of exceptions. A lemmatizer with a dictionary knows more words and
 * weighs several megabytes, which a worker cannot carry; and without a part of speech it has to guess as well.
 */

/** Inflected forms that no rule finds, by dictionary form. */
const irregular = new Map(
  entriesOf(
    "man:men woman:women child:children person:people,persons foot:feet tooth:teeth goose:geese mouse:mice leaf:leaves " +
      "knife:knives wolf:wolves scarf:scarves shelf:shelves half:halves calf:calves hoof:hooves loaf:loaves life:lives " +
      "wife:wives elf:elves thief:thieves bus:buses gas:gases shoe:shoes horseshoe:horseshoes toe:toes canoe:canoes " +
      "movie:movies cookie:cookies hoodie:hoodies tie:ties,tied,tying pie:pies lie:lies,lying,lay,laid,lain die:dies,died,dying " +
      "axe:axes ski:skis,skied,skiing taxi:taxis be:being,been have:having do:doing,done,did go:goes,going,went,gone " +
      "run:ran sit:sat stand:stood hold:held throw:threw,thrown catch:caught take:took,taken wear:wore,worn ride:rode,ridden " +
      "drive:drove,driven eat:ate,eaten drink:drank,drunk swim:swam,swum fly:flew,flown fall:fell,fallen give:gave,given " +
      "make:made build:built sleep:slept lead:led feed:fed speak:spoke,spoken sing:sang,sung ring:rang blow:blew,blown " +
      "draw:drew,drawn grow:grew,grown hide:hid,hidden bite:bit,bitten break:broke,broken write:wrote,written shake:shook,shaken " +
      "swing:swung spin:spun hang:hung dig:dug stick:stuck slide:slid sweep:swept kneel:knelt bend:bent lean:leant " +
      "get:got,gotten come:came,coming say:said see:saw,seen shoot:shot bring:brought buy:bought fight:fought teach:taught " +
      "wind:wound freeze:froze,frozen tear:torn leap:leapt light:lit spread:spreading see:seeing flee:fleeing " +
      "dye:dyed,dyeing shoe:shoeing canoe:canoeing free:freed agree:agreed,agreeing referee:refereeing " +
      "large:larger,largest small:smaller,smallest big:bigger,biggest tall:taller,tallest old:older,oldest,elder young:younger,youngest",
  ),
);

/** Words that look inflected and are not. */
const uninflected = new Set(
  (
    "building railing ceiling clothing wedding painting parking bowling boxing evening morning lightning pudding dwelling " +
    "sibling duckling darling sterling wing king ring thing string spring sling swing sing bring fling cling sting " +
    "earring incoming unfinished nothing everything anything something during inning kayaking sibling awning icing frosting stuffing hundred naked wicked " +
    "rugged jagged ragged sacred kindred weed seed feed speed need reed breed bleed greed steed tweed embed shed sled bed red " +
    "wed led fed ted shorts jeans pants trousers glasses sunglasses eyeglasses goggles clothes scissors tights pajamas pyjamas " +
    "binoculars overalls leggings sweatpants headphones stairs sports goods tennis canvas bus gas grass glass dress mattress " +
    "canvas atlas christmas series species lens chess moss always perhaps plus thus yes news mathematics gymnastics athletics " +
    "electronics aerobics texas kansas paris bass brass class pass mess press indoors outdoors sideways backwards forwards upwards downwards towards upstairs downstairs themselves ourselves claus whereas "
  ).split(" "),
);

/** Verbs that end in e, which their forms in -ing and some in -ed do not show. */
const endingInE = new Set(
  (
    "admire arrange age argue bake balance bathe battle bike bite blade bottle bounce brake breathe bubble bundle bruise cage candle carve cave " +
    "celebrate challenge change charge chase choose circle close compete compose concentrate congregate cradle create " +
    "cruise cuddle cycle dance decorate demonstrate describe dine dive dodge donate dribble drive elevate embrace " +
    "emerge encourage engage enclose escape examine exchange excite exercise face fence file fire forage force frame freestyle " +
    "fumble gamble gaze give glance glide glue graduate grate graze grimace grove gargle guide handle have hike hide hose huddle hurdle " +
    "hurtle illuminate imitate include inflate injure inspire juggle jungle lace lounge love lure make maneuver manage massage " +
    "meditate merge mingle mime move muzzle navigate nibble nose notice nurse nuzzle operate oppose overtake pace paddle parade " +
    "paste pierce pile place please plunge pole pose practice practise prepare produce provide puzzle promote race raise rake receive " +
    "refuse release remove rescue retrieve ride rise rollerblade rollerskate rope rotate saddle scale score scrape " +
    "scribble scuffle serve shade shake shape share shave shine shove shuffle silhouette skate slice slide smile smoke " +
    "snake sneeze snuggle splice spike sponge square squeeze stare startle state store straddle stride stripe stroke strike struggle style surprise " +
    "survive swipe tackle take taste tease telephone tickle time toddle trade translate tremble tumble tune tube type " +
    "use vibrate vote wade wake wave weave whistle white wipe wiggle wobble wrestle wrinkle write yoke zone bale bare " +
    "blaze blouse bathe pare wage doze fuse gape hope joke line mate mope pave phone pipe poke pure ripe robe rule save side size " +
    "stage stake tape tile tire tone tote trace vane vase vise voice advertise lease crease grease tangle dazzle sparkle " +
    "bandage cause clothe converse costume eye fade flame gate gesture kite manicure obscure oversize parachute poise theme unite upraise videotape sprinkle twinkle crumple topple ripple stumble scramble assemble double trouble cable table stable grapple gurgle"
  ).split(" "),
);

/** Returns the dictionary form of a lower-cased word, or the word where none is known. */
export function lemmaOf(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (uninflected.has(word) || !/^[a-z]{4,}$/.test(word)) return word;
  return withoutS(word) ?? withoutPast(word) ?? withoutIng(word) ?? word;
}

function withoutS(word: string): string | undefined {
  if (!/[^su]s$|[aeo]us$/.test(word) || /(?:is|ous)$/.test(word)) return undefined;
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, word.length === 4 ? "ie" : "y");
  if (/(?:ch|sh|ss|x|zz|[^aeiou]o)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

function withoutPast(word: string): string | undefined {
  if (!word.endsWith("ed") || /eed$/.test(word)) return undefined;
  if (word.endsWith("ied")) return word.replace(/ied$/, "y");
  return verbOf(word.slice(0, -2));
}

function withoutIng(word: string): string | undefined {
  return word.endsWith("ing") ? verbOf(word.slice(0, -3)) : undefined;
}

/** Returns the verb of a stem that lost its ending; undefined where what is left can be no verb. */
function verbOf(stem: string): string | undefined {
  if (stem.length < 2 || !/[aeiouy]/.test(stem)) return undefined;
  if (
    endingInE.has(`${stem}e`) ||
    /(?:[^aeiou]v|[aeiou]v|[^l]lv|nc|rc|[aeiou]c|dg|rg|[aeiou]z|u|[bcdfgkptz]l|ibl|[a-z]{2}[^aeo]at)$/.test(stem)
  )
    return `${stem}e`;
  if (/([bdgmnprt])\1$/.test(stem)) return stem.slice(0, -1);
  return stem;
}

function* entriesOf(list: string): Generator<[string, string]> {
  for (const entry of list.split(" ")) {
    const [lemma = "", forms = ""] = entry.split(":");
    for (const form of forms.split(",")) yield [form, lemma];
  }
}
