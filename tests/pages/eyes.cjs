// How pages are looked at: the widths and schemes, what must fit, and the accessibility checker.
"use strict";
const fs = require("node:fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [360, 1280];
const SCHEMES = ["light", "dark"];
const height = (width) => (width < 600 ? 780 : 900);
// The checker takes seconds: it sees each width and each scheme once.
const isChecked = (width, scheme) => (width < 600) === (scheme === "dark");

// Whether anything is wider than the page, or cut off by its own box.
const layout = () => {
  const wide = document.documentElement.scrollWidth;
  const cut = [...document.querySelectorAll("h1, h2, h3, p, dt, dd, th, td, figcaption, li, button, label, summary")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
      && !["visible", "auto", "scroll"].includes(getComputedStyle(one).overflowX)).map((one) => one.textContent.trim().slice(0, 40));
  const outside = [...document.querySelectorAll("h1, h2, h3, p, dl, figure, svg, .tools, pre, .scroll")]
    .filter((one) => !one.closest(".scroll > *") && !one.classList.contains("skip"))
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.tagName + ": " + one.textContent.trim().slice(0, 40));
  // Text of one cell that runs into the next.
  const over = [...document.querySelectorAll(".list tr:nth-child(-n+30) > *")]
    .filter((one) => one.scrollWidth > one.clientWidth + 2).map((one) => one.textContent.trim().slice(0, 40));
  return { wide, inner: innerWidth, cut, outside, over: over.slice(0, 5) };
};

// What the checker finds serious. It has to be in the page.
async function violations(page) {
  const checked = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = checked.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  return serious.map((one) => {
    const at = one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.failureSummary?.split("\n")[1] ?? ""}`);
    return `${one.id} (${one.impact}), ${one.nodes.length} times: ${at.join(" | ")}`;
  });
}

// With a profile of its own, new and empty.
const browse = () => chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic",
    "--no-first-run", "--disable-component-update", "--disable-sync"],
});

module.exports = { SCHEMES, WIDTHS, axe, browse, height, isChecked, layout, violations };
