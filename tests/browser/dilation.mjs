// Opens a page of dilation figures from disk and writes down what each shows as it is moved; judges nothing.
// node dilation.mjs JOB.json, with JOB = {executable, page, states, stacks, report}
import { chromium } from "playwright-core";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Words and numbers, the cells as they are drawn, and the field on the tile in pixels from its middle.
const shown = (figure) =>
  figure.evaluate((e) => {
    const svg = e.querySelector("svg"), draws = (name) => svg.querySelector(name).getAttribute("d");
    return {
      numbers: Object.fromEntries([...e.querySelectorAll("dl div")].map((row) => [...row.children].map((one) => one.textContent))),
      sliders: [...e.querySelectorAll("input")].map((input) => ({ value: input.value, said: input.getAttribute("aria-valuetext"), label: input.labels[0].textContent })),
      stride: e.querySelector("select").value,
      pressed: [...e.querySelectorAll("button[aria-pressed=true]")].map((button) => button.textContent),
      legend: e.querySelector(".demo-legend").textContent,
      canvas: e.querySelector("canvas").toDataURL(),
      view: svg.getAttribute("viewBox").split(" ").map(Number),
      field: draws(".demo-field"),
      unseen: draws(".demo-unseen"),
      bar: [Number(svg.querySelector(".demo-bar").getAttribute("width")), svg.querySelector("text").textContent],
      words: svg.getAttribute("aria-label"),
    };
  });

const theme = async (page, figure, scheme) => {
  await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, scheme);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  return (await shown(figure)).canvas;
};

const browser = await chromium.launch({ executablePath: job.executable, args: ["--disable-gpu"] });
try {
  const report = { seen: [], figures: [], axe: [], widths: [] };
  for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
    const page = await (await browser.newContext({ viewport: { width, height: 844 }, offline: true })).newPage();
    page.on("console", (message) => report.seen.push(message.text()));
    page.on("pageerror", (error) => report.seen.push(String(error)));
    await page.goto(`file://${job.page}`);
    await page.locator(".demo dl dd").last().waitFor();
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, scheme);
    report.widths.push(await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]));
    await page.evaluate(axe);
    report.axe.push(...(await page.evaluate(async () => (await window.axe.run({ preload: false })).violations.map((rule) => [rule.impact, rule.id, rule.nodes[0].html]))));
    if (width < 1280) continue;
    report.pure = await page.evaluate((stacks) => stacks.map((rates) => [window.histolabDilation.paths(window.histolabDilation.profile(rates)), window.histolabDilation.measure(rates, 4, 0.5, [40, 60])]), job.stacks);
    for (const figure of await page.locator(".demo").all()) {
      const sliders = figure.locator("input[type=range]"), found = { first: await shown(figure), states: [], keys: [], buttons: [] };
      for (const [rates, stride] of job.states) {
        for (const [n, rate] of rates.entries()) await sliders.nth(n).fill(String(rate));
        await figure.locator("select").selectOption(String(stride));
        found.states.push(await shown(figure));
      }
      for (const button of await figure.getByRole("button").all()) {
        await button.focus();
        await page.keyboard.press("Enter");
        found.buttons.push([await button.textContent(), await shown(figure)]);
      }
      for (const slider of await sliders.all()) {
        await slider.focus();
        const at = async (key) => (await page.keyboard.press(key), shown(figure));
        found.keys.push([await at("Home"), await at("End")]);
        await page.keyboard.press("Home");
      }
      found.themes = [await theme(page, figure, "light"), await theme(page, figure, "dark"), await theme(page, figure, "light")];
      found.words = await figure.locator("canvas").getAttribute("aria-label");
      report.figures.push(found);
    }
  }
  await writeFile(job.report, JSON.stringify(report));
} finally {
  await browser.close();
}
