// Renews package-lock.json from package.json alone, and takes the funding addresses out, so that it names no host at all.
//
// In an empty directory: beside an installed node_modules npm leaves out the packages of other platforms.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const empty = mkdtempSync(join(tmpdir(), "lock-"));
try {
  for (const name of ["package.json", ".npmrc"]) copyFileSync(name, join(empty, name));
  execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts"], { cwd: empty, stdio: "inherit" });
  const lock = JSON.parse(readFileSync(join(empty, "package-lock.json"), "utf8")) as {
    packages: Record<string, { funding?: unknown }>;
  };
  for (const entry of Object.values(lock.packages)) delete entry.funding;
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
} finally {
  rmSync(empty, { recursive: true });
}
