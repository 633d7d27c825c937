// Builds the dashboard into the gateway's package: hashed names, nothing inlined (the content security policy allows
// no data: addresses), and a .gz file beside every text asset for the gateway to send as it is.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type Rolldown } from "vite";

const SERVICE_WORKER = "service-worker.js";
const TARGET = join(import.meta.dirname, "../services/gateway/static");

/** KiB of JavaScript and CSS, gzip, that opening each page may load: the frame, the page, and what they share. */
const BUDGETS: Record<string, number> = {
  fleet: 76,
  host: 90,
  alerts: 57,
  compare: 86,
  system: 53,
  settings: 54,
  account: 53,
  people: 51,
  audit: 49,
  viewers: 48,
  login: 46,
};
/** The page to try the API, which is a document of its own. */
const API_BUDGET = 25;
/** The shared worker, which loads nothing else. */
const WORKER_BUDGET = 10;

const gzipped = (content: string | Uint8Array): Buffer => gzipSync(content, { level: 9 });
const kib = (bytes: number): number => bytes / 1024;

function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(TARGET, { recursive: true, encoding: "utf8" }))
        if (/\.(js|css|html|svg|webmanifest)$/.test(name))
          writeFileSync(join(TARGET, `${name}.gz`), gzipped(readFileSync(join(TARGET, name))));
    },
  };
}

/** Fails a build of which a page has become too heavy, and says what each weighs. */
function weighed(): Plugin {
  return {
    name: "weighed",
    apply: "build",
    enforce: "post",
    writeBundle(_, bundle) {
      const heavy: string[] = [];
      const weigh = (name: string, files: Iterable<string>, budget: number) => {
        let total = 0;
        for (const file of files) total += gzipped(readFileSync(join(TARGET, file))).length;
        console.log(`${name}: ${kib(total).toFixed(1)} KiB gzip, budget ${budget}`);
        if (kib(total) > budget) heavy.push(name);
      };
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const entryOf = (document: string) =>
        chunks.find((chunk) => chunk.isEntry && chunk.facadeModuleId?.endsWith(`/${document}`)) as Rolldown.OutputChunk;
      const entry = entryOf("index.html");
      weigh("api", loads(bundle, entryOf("api.html")), API_BUDGET);
      for (const [page, budget] of Object.entries(BUDGETS)) {
        const chunk = chunks.find((one) => one.facadeModuleId?.endsWith(`/src/${page}/page.tsx`));
        if (!chunk) throw new Error(`no chunk of the page ${page}`);
        weigh(page, new Set([...loads(bundle, entry), ...loads(bundle, chunk)]), budget);
      }
      weigh(
        "worker",
        readdirSync(join(TARGET, "assets"))
          .filter((name) => /^worker-.*\.js$/.test(name))
          .map((name) => `assets/${name}`),
        WORKER_BUDGET,
      );
      if (heavy.length > 0) this.error(`over budget: ${heavy.join(", ")}`);
    },
  };
}

/** Tells the service worker which files the dashboard loads; it keeps those of one version. */
function shelled(): Plugin {
  return {
    name: "shelled",
    apply: "build",
    // After chunks of nothing but styles are gone.
    enforce: "post",
    generateBundle(_, bundle) {
      const worker = bundle[SERVICE_WORKER];
      if (worker?.type !== "chunk") throw new Error(`no ${SERVICE_WORKER}`);
      if (worker.imports.length > 0) throw new Error(`${SERVICE_WORKER} must stand alone`);
      const files = Object.keys(bundle)
        .filter((name) => name.startsWith("assets/") && /\.(js|css|svg)$/.test(name) && !/\/api-/.test(name))
        .sort()
        .map((name) => `/${name}`);
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("no index.html");
      // The page is kept as well, and its own words are in no file's name.
      const version = createHash("sha256").update(files.join()).update(page.source).digest("hex").slice(0, 12);
      worker.code = worker.code.replaceAll("SHELL.version", JSON.stringify(version));
      worker.code = worker.code.replaceAll("SHELL.files", JSON.stringify(files));
    },
  };
}

/** The files that loading `chunk` loads. */
function loads(bundle: Rolldown.OutputBundle, chunk: Rolldown.OutputChunk): Set<string> {
  const files = new Set<string>();
  const visit = (name: string) => {
    const one = bundle[name];
    if (files.has(name) || one?.type !== "chunk") return;
    files.add(name);
    for (const style of one.viteMetadata?.importedCss ?? []) files.add(style);
    one.imports.forEach(visit);
  };
  visit(chunk.fileName);
  return files;
}

export default defineConfig({
  plugins: [shelled(), compressed(), weighed()],
  build: {
    outDir: TARGET,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    sourcemap: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: ["index.html", "api.html", "src/offline/service_worker.ts"].map((name) => join(import.meta.dirname, name)),
      output: {
        // What it answers for is what lies beside it and below.
        entryFileNames: (chunk) =>
          chunk.facadeModuleId?.endsWith("/service_worker.ts") ? SERVICE_WORKER : "assets/[name]-[hash].js",
        // Pages are called page.tsx in their rooms: a chunk is called by its room.
        chunkFileNames: (chunk) =>
          `assets/${/\/src\/(\w+)\/page\.tsx$/.exec(chunk.facadeModuleId ?? "")?.[1] ?? "[name]"}-[hash].js`,
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
