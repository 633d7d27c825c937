import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, nextPage, offsetAt, onWall, secondsOf } from "./rotation.ts";

test("a page is shown for as long as the address says, within reason", () => {
  assert.deepEqual(["", null, "12", "1", "soon", "-5", "99999"].map(secondsOf), [30, 30, 12, 5, 30, 30, 3600]);
});

test("a wall's pages keep what they show", () => {
  assert.equal(onWall("/?q=web&wall=10", 20), "/?q=web&wall=20");
  assert.equal(onWall("/alerts", 30), "/alerts?wall=30");
});

test("after the last page comes the first", () => {
  const pages = ["/?q=web", "/alerts", "/compare"];
  assert.equal(nextPage(pages, "/?wall=30&q=web"), "/alerts");
  assert.equal(nextPage(pages, "/compare?wall=30"), "/?q=web");
  assert.equal(nextPage(pages, "/hosts/web-1"), "/?q=web");
});

test("views that show the same are one page of a wall", () => {
  const views = ["/alerts", "/alerts?paused=1", "/system", "/alerts", "/compare"].map((path) => ({ path }));
  assert.deepEqual(
    apart(views).map(({ path }) => path),
    ["/alerts", "/system", "/compare"],
  );
});

test("where there is no other page, nothing is shown anew", () => {
  assert.equal(nextPage([], "/"), null);
  assert.equal(nextPage(["/alerts"], "/alerts?wall=5"), null);
});

test("a page higher than the screen is shown screen by screen, to its very end", () => {
  const at = (elapsed: number) => offsetAt(elapsed, 30, 2500, 1000);
  assert.deepEqual([at(0), at(9), at(11), at(21), at(31)], [0, 0, 1000, 1500, 0]);
  assert.equal(offsetAt(20, 30, 900, 1000), 0);
});
