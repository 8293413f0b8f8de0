// Captions the photos that a visitor chooses. ?origin=https://captions.example.com names another edge; it has to allow
// this page's origin (CORS_ORIGINS). In this folder's grandparent:
//   npm start -- --var CORS_ORIGINS=http://localhost:8000
//   npx esbuild --servedir=examples/page --bundle --format=esm --outdir=examples/page examples/page/main.js
import { CaptionClient, captionAll } from "edge-caption/client";

const origin = new URLSearchParams(location.search).get("origin") ?? "http://localhost:8787";
const client = new CaptionClient({ origin });
const list = document.querySelector("ul");

document.querySelector("input").addEventListener("change", async ({ target }) => {
  // Looks up a hundred photos in one request and uploads only those without a caption. One that fails does not end the others.
  for await (const outcome of captionAll(client, target.files)) {
    const item = document.createElement("li");
    const text = "result" in outcome ? outcome.result.caption : outcome.error.message;
    item.textContent = `${outcome.photo.name}: ${text}`;
    list.append(item);
  }
});
