// Figures that compute in the page: mean Dice and mean IoU of images that you move, and readings of a printed pair.
// The bounds are those of histolab_lib.audit.bounds; a test compares the two.
(function () {
  "use strict";
  const phi = (dice) => dice / (2 - dice); // IoU of one image from its Dice
  const SLACK = 1e-9; // decimals are not exact here, as they are in the library

  // the largest mean IoU of so many images that count alike
  function most(dice, images) {
    const ones = Math.floor(images * dice + SLACK);
    return (ones + phi(Math.max(0, images * dice - ones))) / images;
  }

  // what a printed score may be, as a share of one; null where it is none
  function printed(text) {
    const found = /^\s*(\d*)(?:\.(\d+))?\s*(%?)\s*$/.exec(text);
    if (!found || (found[1] === "" && found[2] === undefined)) return null;
    const value = Number(`${found[1] || "0"}.${found[2] || "0"}`), half = 0.5 * 10 ** -(found[2] || "").length;
    const scale = found[3] || value > 1 ? 100 : 1;
    const low = Math.max(0, (value - half) / scale), high = Math.min(1, (value + half) / scale);
    return low > 1 || value / scale > 1 ? null : { low, high };
  }

  const meets = (a, b) => a.low <= b.high + SLACK && b.low <= a.high + SLACK;

  // the largest share of background for which a mean IoU over two classes is possible; null where none is
  function background(dice, iou) {
    const fore = phi(dice.low), other = Math.min(1, 2 * iou.high - fore);
    if (other < 0 || fore === 1 || iou.low > (phi(dice.high) + 1) / 2 + SLACK) return null;
    return (1 - fore) / (1 - fore * other);
  }

  // what each way of averaging says of a printed pair
  function readings(dice, iou, images) {
    const low = phi(dice.low), share = background(dice, iou);
    const said = (high) => (meets(iou, { low, high }) ? "possible" : "impossible");
    return [
      ["all pixels pooled", said(phi(dice.high))],
      [`means of ${images} image${images > 1 ? "s" : ""}`, said(most(dice.high, images))],
      ["means, any weights", said(dice.high)],
      ["IoU of both classes", share === null ? "impossible" : `background ≤ ${Math.ceil(100 * share)} %`],
      ["pooled and mean mixed", "tells nothing"],
    ];
  }

  if (typeof document === "undefined") {
    module.exports = { most, printed, readings };
    return;
  }
  if (window.histolabCalculators) return; // the script stands beside every figure that needs it, and runs once
  window.histolabCalculators = true;

  const SIZE = 704, LEFT = 80, BOTTOM = 78, RIGHT = 24, WIDE = SIZE - LEFT - RIGHT;
  const STEPS = 600;
  const INK = "#000000", SKY = "rgba(86, 180, 233, 0.35)", BLUE = "#0072B2", VERMILION = "#D55E00", GREEN = "#009E73";
  const x = (value) => LEFT + value * WIDE, y = (value) => SIZE - BOTTOM - value * WIDE;

  const element = window.histolabElement; // elements.js

  function curve(c, f, from = 0, to = 1) {
    for (let i = 0; i <= STEPS; i += 1) {
      const at = from + ((to - from) * i) / STEPS;
      c.lineTo(x(at), y(f(at)));
    }
  }

  function line(c, f, colour, dash) {
    c.beginPath();
    curve(c, f);
    c.strokeStyle = colour;
    c.lineWidth = 3;
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }

  function dot(c, at, radius, colour, filled) {
    c.beginPath();
    c.arc(x(at[0]), y(at[1]), radius, 0, 2 * Math.PI);
    c.fillStyle = filled ? colour : "#FFFFFF";
    c.strokeStyle = colour;
    c.lineWidth = 3;
    c.fill();
    c.stroke();
  }

  // axes, and in blue what so many images can give
  function plane(c, images, labels) {
    c.fillStyle = "#FFFFFF";
    c.fillRect(0, 0, SIZE, SIZE);
    c.beginPath();
    curve(c, (d) => most(d, images));
    curve(c, phi, 1, 0);
    c.fillStyle = SKY;
    c.fill();
    line(c, (d) => d, INK, [3, 7]);
    line(c, phi, BLUE, []);
    line(c, (d) => most(d, images), BLUE, [14, 8]);
    c.strokeStyle = INK;
    c.fillStyle = INK;
    c.lineWidth = 2;
    c.strokeRect(x(0), y(1), WIDE, WIDE);
    c.font = "24px sans-serif";
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      c.textAlign = "center";
      c.fillText(tick.toFixed(1), x(tick), y(0) + 30);
      c.textAlign = "right";
      c.fillText(tick.toFixed(1), x(0) - 8, y(tick) + 8);
    }
    c.textAlign = "center";
    c.fillText(labels[0], x(0.5), SIZE - 12);
    c.save();
    c.translate(24, y(0.5));
    c.rotate(-Math.PI / 2);
    c.fillText(labels[1], 0, 0);
    c.restore();
  }

  function list(parent) {
    const made = element("dl", { class: "demo-numbers", "aria-live": "polite" }, parent);
    return (rows) => {
      made.replaceChildren();
      for (const [name, value] of rows) {
        const row = element("div", {}, made);
        element("dt", { text: name }, row);
        element("dd", { text: value }, row);
      }
    };
  }

  function slider(side, id, label, least, largest, step, start) {
    const words = element("label", { for: id, text: `${label}: ` }, side);
    const shown = element("output", { for: id }, words);
    const input = element("input", { type: "range", id, min: least, max: largest, step }, side);
    input.value = start;
    const tell = () => { shown.textContent = input.value; };
    input.addEventListener("input", tell);
    tell();
    return input;
  }

  function means(c, side, data, number) {
    const inputs = data.start.map((value, n) => slider(side, `means-${number}-${n}`, `Dice of image ${n + 1}`, 0, 1, 0.01, value));
    const tell = list(side);
    function show() {
      const all = inputs.map((one) => Number(one.value)), mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;
      const dice = mean(all), iou = mean(all.map(phi)), spread = Math.sqrt(mean(all.map((d) => (d - dice) ** 2)));
      plane(c, all.length, ["Dice", "IoU"]);
      c.beginPath();
      c.moveTo(x(dice), y(phi(dice)));
      c.lineTo(x(dice), y(most(dice, all.length)));
      c.strokeStyle = VERMILION;
      c.lineWidth = 2;
      c.stroke();
      all.forEach((d) => dot(c, [d, phi(d)], 9, GREEN, false));
      dot(c, [dice, iou], 11, VERMILION, true);
      tell([
        ["mean Dice D", dice.toFixed(3)], ["mean IoU", iou.toFixed(3)], ["least possible, D/(2-D)", phi(dice).toFixed(3)],
        ["largest, of three images", most(dice, all.length).toFixed(3)], ["standard deviation of Dice", spread.toFixed(2)],
      ]);
    }
    inputs.forEach((one) => one.addEventListener("input", show));
    show();
  }

  function text(side, id, label) {
    element("label", { for: id, text: label }, side);
    return element("input", { type: "text", id, inputmode: "decimal", autocomplete: "off", size: 8 }, side);
  }

  function pair(c, side, data, number) {
    element("label", { for: `pair-${number}`, text: "A published pair" }, side);
    const choice = element("select", { id: `pair-${number}` }, side);
    data.pairs.forEach(([name], n) => element("option", { value: n, text: name }, choice));
    const first = text(side, `pair-${number}-dice`, "Dice or F1, as printed"), second = text(side, `pair-${number}-iou`, "IoU, as printed");
    const images = slider(side, `pair-${number}-images`, "images", 1, 30, 1, data.images);
    const tell = list(side);
    function show() {
      const dice = printed(first.value), iou = printed(second.value), count = Number(images.value);
      plane(c, count, ["Dice or F1", "IoU"]);
      if (!dice || !iou) { tell([["two scores from 0 to 1, or in percent", "?"]]); return; }
      const at = [(dice.low + dice.high) / 2, (iou.low + iou.high) / 2];
      dot(c, at, 11, VERMILION, true);
      tell(readings(dice, iou, count));
    }
    function pick() {
      [, first.value, second.value] = data.pairs[choice.value];
      show();
    }
    choice.addEventListener("change", pick);
    [first, second, images].forEach((one) => one.addEventListener("input", show));
    pick();
  }

  const KINDS = { means, pair };
  // a page may hold figures of other scripts, too
  const figures = Object.keys(KINDS).map((kind) => `.demo[data-kind="${kind}"]`).join();

  function build(figure, number) {
    const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    figure.querySelector(".demo-static").hidden = true;
    const body = element("div", { class: "demo-body" }, figure);
    const canvas = element("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": `${data.title} ${data.words}` }, body);
    const side = element("div", { class: "demo-side" }, body);
    KINDS[data.kind](canvas.getContext("2d"), side, data, number);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(figures).forEach(build));
})();
