// What a person finds where several files are served: the catalogue, a search
// in it, and the page of one of its adapters, which is mounted under a path.
import assert from "node:assert/strict";
import { join } from "node:path";
import { browse, everythingHasAName, sender } from "./browser.mjs";

const [address, profile, screenshots] = process.argv.slice(2);
const origin = new URL(address).origin;

await browse(origin, profile, async ({ page, step }) => {
  const shown = () => page.locator(".api:not([hidden]) h3").allTextContents();
  const rows = () => page.locator(".api:not([hidden]) [data-row]:not([hidden]) code").allTextContents();
  const count = page.locator("#count");

  await step("the catalogue lists both files, at each of its addresses", async () => {
    const response = await page.goto(address);
    assert.equal(response.status(), 200);
    assert.doesNotMatch(response.headers()["content-security-policy"], /unsafe/);
    const html = await response.text();
    for (const path of ["/", "/.patchbay", "/.patchbay/"]) assert.equal(await (await fetch(origin + path)).text(), html, path);
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "2 APIs sandbox");
    assert.deepEqual(await shown(), ["Twilio Flex API — Interactions", "Harbour"]);
    assert.equal(await count.textContent(), "2 APIs, 7 operations");
  });

  await step("everything that can be operated has a name", () => everythingHasAName(page));

  await step("a search finds operations by name, path and description, and the APIs that have them", async () => {
    const search = page.getByRole("searchbox", { name: "Search" });
    await search.fill("tides of today");
    assert.deepEqual(await shown(), ["Harbour"]);
    assert.deepEqual(await rows(), ["/harbour/tides"]);
    assert.equal(await count.textContent(), "1 API, 1 operation");
    assert.ok(await page.locator("[data-row]:not([hidden])").isVisible(), "what was found is folded away");
    await search.fill("harbour");
    assert.deepEqual(await rows(), ["/harbour/berths/{berth}", "/harbour/tides"]);
    await search.fill("no such thing");
    assert.deepEqual(await shown(), []);
    assert.equal(await count.textContent(), "0 APIs, 0 operations");
    await search.fill("");
    assert.equal((await shown()).length, 2);
    await page.goto(address + "?q=interaction");
    assert.deepEqual(await shown(), ["Twilio Flex API — Interactions"]);
    await page.goto(address);
  });

  await step("a row leads to the operation on the adapter's own page", async () => {
    await page.getByRole("searchbox", { name: "Search" }).fill("fetch berth");
    await page.getByRole("link", { name: "GET /harbour/berths/{berth}" }).click();
    await page.waitForURL(origin + "/.patchbay/harbour-rest/#op-fetch-berth");
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "Harbour sandbox");
    assert.ok(await page.locator("#op-fetch-berth").evaluate((e) => e.open));
  });

  await step("everything on that page has a name", () => everythingHasAName(page));

  await step("an operation of the mounted adapter answers", async () => {
    const { send } = sender(page, origin + "/harbour/");
    await page.locator("#op-fetch-berth").getByLabel(/^berth/).fill("12 a/b");
    const { url, status, text } = await send("fetch-berth");
    assert.equal(url, origin + "/harbour/berths/12%20a%2Fb");
    assert.equal(status, "200 OK");
    assert.deepEqual(JSON.parse(text), { berth: "12 a/b", ship: "Nadir" });
  });

  await step("the page shows the adapter's own addresses and leads back", async () => {
    const own = await (await fetch(origin + "/.patchbay/harbour-rest/openapi.json")).json();
    const whole = await (await fetch(origin + "/.patchbay/openapi.json")).json();
    assert.deepEqual(Object.keys(own.paths).length, 2);
    assert.equal(Object.keys(whole.paths).length, 2 + 4);
    assert.match(await page.locator("main").textContent(), /\/mcp\/harbour-mcp/);
    await page.getByRole("link", { name: "All APIs" }).click();
    await page.waitForURL(origin + "/.patchbay/");
    assert.equal((await shown()).length, 2);
  });

  await step("the other adapter is called through the simulator", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Twilio Flex API — Interactions" }).click();
    await page.waitForURL(origin + "/.patchbay/flex-interactions-rest/");
    const { status } = await sender(page, origin + "/v1/").send("fetchinteraction");
    assert.equal(status, "200 OK");
  });

  await step("the catalogue renders in the dark and on a narrow screen", async () => {
    await page.goto(address);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: join(screenshots, "catalogue-dark.png"), fullPage: true });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.screenshot({ path: join(screenshots, "catalogue-narrow.png") });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360, "the page scrolls sideways");
  });
});
