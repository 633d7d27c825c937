// Builds the dashboard into the gateway's package: hashed names, nothing inlined (the content security policy allows
// no data: addresses), and a .gz file beside every text asset for the gateway to send as it is.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const TARGET = join(import.meta.dirname, "../services/gateway/static");

function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      let total = 0;
      for (const name of readdirSync(TARGET, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|html|svg)$/.test(name)) continue;
        const small = gzipSync(readFileSync(join(TARGET, name)), { level: 9 });
        writeFileSync(join(TARGET, `${name}.gz`), small);
        if (/\.(js|css)$/.test(name)) total += small.length;
      }
      console.log(`JavaScript and CSS: ${(total / 1024).toFixed(1)} KiB gzip, budget 90`);
    },
  };
}

export default defineConfig({
  plugins: [compressed()],
  build: {
    outDir: TARGET,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    sourcemap: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
