// Calls a snippet of Node once for each scene; prints what came of it as one JSON object.
// The same as call_snippet.py: node call_snippet.mjs SNIPPET < scenes
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

async function called(snippet, scene) {
  try {
    return { returned: await snippet[scene.function](...scene.arguments) };
  } catch (error) {
    // What is thrown for an error inside a stream may be no Error.
    return { raised: error.name ?? Object(error).constructor.name, status: error.statusCode ?? null };
  }
}

console.log = console.warn = console.error;
const snippet = await import(pathToFileURL(process.argv[2]));
const came = {};
for (const [name, scene] of Object.entries(JSON.parse(readFileSync(0, "utf-8")))) {
  came[name] = await called(snippet, scene);
}
process.stdout.write(JSON.stringify(came));
