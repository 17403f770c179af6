// Chromium as the checks use it. Any console error, any breach of the
// Content-Security-Policy and any request to another origin fails the step in
// which it occurs, whatever else the step checks.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

// browse calls check with a page in a fresh profile. expected are texts of
// console errors that a check asks for: an answer of 400 is no fault of the page.
export const browse = async (origin, profile, check) => {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    headless: true,
    viewport: { width: 1440, height: 1000 },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  try {
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    const page = context.pages()[0] ?? await context.newPage();
    page.setDefaultTimeout(30000);
    const faults = [], expected = [];
    await watch(page, origin, faults, expected);
    const step = async (name, run) => {
      await run();
      assert.deepEqual(faults, [], name);
      console.log("ok", name);
    };
    await check({ page, step, expected });
  } finally {
    await context.close();
  }
};

const watch = (page, origin, faults, expected) => {
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const at = expected.findIndex((text) => message.text().includes(text));
    if (at >= 0) expected.splice(at, 1);
    else faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "data:") faults.push(`request to ${request.url()}`);
  });
  return page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
};

// everythingHasAName fails for what can be operated and has no accessible name,
// for two copy buttons of one name, and for an id that occurs twice.
export const everythingHasAName = async (page) => {
  const unnamed = await page.evaluate(() => [...document.querySelectorAll("button, input, select, textarea, a")].filter((e) => {
    const labels = e.labels ? [...e.labels].map((l) => l.textContent).join(" ") : "";
    return !(e.getAttribute("aria-label") || labels || e.textContent).trim();
  }).map((e) => e.outerHTML.slice(0, 120)));
  assert.deepEqual(unnamed, []);
  const copies = await page.locator(".copy").evaluateAll((list) => list.map((e) => e.getAttribute("aria-label")));
  assert.ok(copies.length > 0);
  for (const label of copies) assert.match(label, /^Copy \S+/);
  assert.equal(new Set(copies).size, copies.length, "two copy buttons are called the same");
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((e) => e.id));
  assert.equal(new Set(ids).size, ids.length, "an id occurs twice");
};

// sender returns a function that unfolds an operation, sends its form and
// returns what the page shows; prefix begins the address of the call.
export const sender = (page, prefix) => {
  const open = async (id) => {
    const details = page.locator(`#${id}`);
    if (!(await details.evaluate((e) => e.open))) await details.locator(":scope > summary").click();
    return details;
  };
  const send = async (name) => {
    const details = await open(`op-${name}`);
    const answer = details.locator(".answer");
    const [response] = await Promise.all([
      page.waitForResponse((r) => r.url().startsWith(prefix)),
      details.getByRole("button", { name: "Send" }).click(),
    ]);
    await answer.locator(".status b", { hasText: String(response.status()) }).waitFor();
    return {
      url: response.url(), status: await answer.locator(".status b").textContent(),
      text: await answer.locator(".body").textContent(), details,
    };
  };
  return { open, send };
};
