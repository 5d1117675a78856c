// Opens report pages in a browser and says what is wrong with them.
// node check.cjs PAGES OUT [pictures]: every page of the folder PAGES; prints, and pictures if asked for, go to OUT.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { SCHEMES, WIDTHS, axe, browse, height, isChecked, layout, violations } = require("./eyes.cjs");

const [pages, out, pictures] = process.argv.slice(2);
// A page of ten thousand tenants is usable after so long, and answers a click within so long.
const LOAD_MS_MAX = 5000;
const ANSWER_MS_MAX = 1000;

const wrong = [];
const expect = (holds, what) => {
  if (!holds) wrong.push(what);
};

async function open(browser, file, { width, scheme, script = true }) {
  const context = await browser.newContext({
    viewport: { width, height: height(width) },
    colorScheme: scheme,
    javaScriptEnabled: script,
    // The checker is put into the page, which its policy forbids; that the policy holds is looked at on its own.
    bypassCSP: script,
  });
  const page = await context.newPage();
  const name = `${path.basename(file, ".html")} ${width} ${scheme}${script ? "" : " without script"}`;
  page.on("console", (message) => expect(!["error", "warning"].includes(message.type()), `${name}: console: ${message.text()}`));
  page.on("pageerror", (error) => expect(false, `${name}: ${error.message}`));
  page.on("dialog", (dialog) => { expect(false, `${name}: a dialog: ${dialog.message()}`); dialog.dismiss(); });
  const address = pathToFileURL(file).href;
  page.on("request", (request) => expect(request.url() === address, `${name}: asks for ${request.url()}`));
  const started = performance.now();
  await page.goto(address, { waitUntil: "load" });
  // Without script the page has no frames to ask for.
  if (script) await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  return { page, name, ms: performance.now() - started };
}

async function looks(browser, file, rowsThere) {
  const { page, name: opened, ms } = await open(browser, file, { width: 1280, scheme: "light" });
  expect(ms < LOAD_MS_MAX, `${opened}: usable only after ${Math.round(ms)} ms`);
  await page.evaluate(axe);
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const name = `${path.basename(file, ".html")} ${width} ${scheme}`;
      await page.setViewportSize({ width, height: height(width) });
      await page.emulateMedia({ colorScheme: scheme });
      const found = await page.evaluate(layout);
      expect(found.wide <= found.inner, `${name}: ${found.wide} wide, of ${found.inner}`);
      for (const kind of ["cut", "outside", "over"]) expect(found[kind].length === 0, `${name}: ${kind}: ${found[kind].join(" | ")}`);
      if (pictures) {
        const picture = path.join(out, `${path.basename(file, ".html")}-${width}-${scheme}.png`);
        await page.screenshot({ path: picture, fullPage: true });
      }
      // Of many rows there are no others on a phone.
      if (!isChecked(width, scheme) || (rowsThere > 1000 && width < 600)) continue;
      for (const violation of await violations(page)) expect(false, `${name}: ${violation}`);
    }
  }
  await page.context().close();
}

// The policy holds: what a page's own text or a reader's extension would run does not run.
async function keepsPolicy(browser, file) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'ran'";
    document.body.append(script);
    return document.title === "ran";
  });
  expect(!ran, `${file}: the policy lets a script run that is not the page's`);
  await context.close();
}

async function isWholeWithoutScript(browser, file) {
  const { page, name } = await open(browser, file, { width: 360, scheme: "light", script: false });
  const rows = await page.locator("#tenants tbody tr").count();
  const cut = await page.locator(".chunk").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).contentVisibility === "auto" && getComputedStyle(one).overflowX !== "auto").length);
  expect(cut === 0, `${name}: ${cut} parts of a list whose right end is out of reach`);
  expect(await page.locator(".tools").count() === 0, `${name}: controls that nothing moves`);
  await page.context().close();
  return rows;
}

async function prints(browser, file) {
  const { page, name } = await open(browser, file, { width: 1280, scheme: "dark" });
  const print = path.join(out, `${path.basename(file, ".html")}.pdf`);
  await page.pdf({ path: print, format: "A4", printBackground: true });
  expect(fs.statSync(print).size > 10_000, `${name}: an empty print`);
  await page.context().close();
}

async function sortsAndFilters(browser, file, rowsThere) {
  const { page, name, ms } = await open(browser, file, { width: 1280, scheme: "light" });
  const region = page.getByRole("region", { name: "Tenants by protocol" });
  const tools = page.locator("#by-tenant .tools");
  const status = tools.locator("output");
  const column = (at) => region.locator(`tbody tr > *:nth-child(${at})`).allTextContents();
  const timed = async (act) => {
    const started = performance.now();
    await act();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    const took = performance.now() - started;
    expect(took < ANSWER_MS_MAX, `${name}: answers only after ${Math.round(took)} ms`);
    return took;
  };
  const whole = rowsThere.toLocaleString("en");
  expect((await status.textContent()).includes(whole), `${name}: expected ${whole} rows, found ${await status.textContent()}`);

  const users = region.getByRole("button", { name: "Users" });
  const sort = await timed(() => users.click());
  let numbers = (await column(4)).map((text) => Number(text.replaceAll(",", "")));
  expect(numbers.every((n, at) => at === 0 || numbers[at - 1] >= n) && numbers[0] > 0, `${name}: not sorted by users: ${numbers}`);
  expect(await region.getByRole("columnheader", { name: "Users" }).getAttribute("aria-sort") === "descending", `${name}: aria-sort`);
  await users.press("Enter");
  numbers = (await column(4)).map((text) => Number(text.replaceAll(",", "")));
  expect(numbers.every((n, at) => at === 0 || numbers[at - 1] <= n), `${name}: not turned round: ${numbers}`);
  await region.getByRole("button", { name: "Tenant", exact: true }).click();
  const names = (await column(1)).map((text) => text.toLowerCase());
  expect(names.every((text, at) => at === 0 || names[at - 1] <= text), `${name}: not sorted by name`);

  if (rowsThere > 100) {
    expect((await column(1)).length === 100, `${name}: more than a page of rows`);
    await tools.getByRole("button", { name: "Next rows" }).click();
    expect((await status.textContent()).startsWith("101 to 200"), `${name}: ${await status.textContent()}`);
  }
  const first = (await region.locator("tbody th small").first().textContent()).trim();
  const filter = await timed(() => tools.getByLabel("Filter").fill(first.toUpperCase()));
  expect((await column(1)).length === 1 && (await status.textContent()).startsWith("1 row"), `${name}: filter: ${await status.textContent()}`);
  await tools.getByLabel("Filter").fill("nobody is called this");
  expect((await column(1)).length === 0 && (await status.textContent()).startsWith("0 rows"), `${name}: filter of nothing`);
  await tools.getByLabel("Filter").fill("");
  await tools.getByLabel("Verdict").selectOption("warning");
  const verdicts = await column(2);
  expect(verdicts.length > 0 && verdicts.every((text) => text === "warning"), `${name}: verdicts ${verdicts}`);
  console.log(`${name}: ${(fs.statSync(file).size / 1e6).toFixed(2)} MB, usable after ${Math.round(ms)} ms, sorts in ${Math.round(sort)} ms, filters in ${Math.round(filter)} ms`);
  await page.context().close();
}

async function main() {
  const browser = await browse();
  const files = fs.readdirSync(pages).filter((name) => name.endsWith(".html")).sort();
  try {
    for (const file of files.map((name) => path.join(pages, name))) {
      const rows = await isWholeWithoutScript(browser, file);
      const name = path.basename(file, ".html");
      await looks(browser, file, rows);
      // One policy and one style for all: the worst names and the likeliest tenants show whether they hold.
      if (name === "hostile") await keepsPolicy(browser, file);
      if (name === "sample") await prints(browser, file);
      if (rows > 1) await sortsAndFilters(browser, file, rows);
      if (name === "many") expect(rows === 10_000, `${file}: ${rows} rows without script`);
    }
  } finally {
    await browser.close();
  }
  if (files.length < 5) wrong.push(`expected five pages in ${pages}, found ${files.join(", ")}`);
  for (const what of wrong) console.error(what);
  if (wrong.length > 0) process.exit(1);
  console.log(`pages: ${files.length} pages hold in light and dark, on a phone and a desk and without script; one is printed`);
}

main().catch((error) => { console.error(error); process.exit(1); });
