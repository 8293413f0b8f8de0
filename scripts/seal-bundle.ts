import { sealBundle } from "../training/seal-bundle.ts";

const folders = process.argv.slice(2);
if (folders.length === 0 || folders.includes("--help")) {
  console.log(
    "usage: npm run seal -- <bundle folder…>\n\nWrites the size and SHA-256 of every file of a model bundle into its manifest.json.",
  );
  process.exit(folders.length === 0 ? 2 : 0);
}
for (const folder of folders) {
  const { manifest, revision } = await sealBundle(folder);
  console.log(`${folder}: ${manifest.id}, revision ${revision}, ${manifest.files.length} files`);
}
