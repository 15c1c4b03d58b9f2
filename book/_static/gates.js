// A figure that computes in the page: what a spatial and a channel gate let through of an encoder's features, each of them
// opened or shut by the reader. A test compares its numbers with numpy's.
(function () {
  "use strict";

  // a gate between open (1 everywhere, at 0), as learned (at 1) and shut (0 everywhere, at 2), in straight lines
  const moved = (gate, at) => gate.map((value) => (at <= 1 ? 1 + at * (value - 1) : (2 - at) * value));

  // base64 of what zlib packed -> bytes
  async function unpack(packed) {
    const raw = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // value, length, value, length ... -> one value a cell
  const unroll = (runs) => runs.flatMap((value, i) => (i % 2 ? [] : new Array(runs[i + 1]).fill(value)));

  // features map after map, row after row; the channel gate has one number a map or one a cell of each
  async function read(features, spatial, channel, mask, readout) {
    const [, height, width] = features.shape, size = height * width, share = (byte) => byte / 255;
    const value = (byte, i) => features.scale[Math.floor(i / size)][0] * (byte - features.scale[Math.floor(i / size)][1]);
    return {
      height, width, size, readout,
      mask: unroll(mask),
      features: Float64Array.from(await unpack(features.bytes), value),
      spatial: Float64Array.from(await unpack(spatial), share),
      channel: Float64Array.from(await unpack(channel), share),
    };
  }

  // Fr = Fe x As x Ac
  function refine({ features, size }, spatial, channel) {
    const own = channel.length === features.length ? (i) => i : (i) => Math.floor(i / size);
    return features.map((value, i) => value * spatial[i % size] * channel[own(i)]);
  }

  // sums of squares in nuclei and outside: of all maps, and of each
  function energies({ mask, size, features }, values) {
    const each = Array.from({ length: features.length / size }, () => [0, 0]);
    values.forEach((value, i) => { each[Math.floor(i / size)][1 - mask[i % size]] += value ** 2; });
    return [each.reduce((a, b) => [a[0] + b[0], a[1] + b[1]], [0, 0]), ...each];
  }

  function probabilities({ size, readout: [weights, bias] }, refined) {
    return Float64Array.from({ length: size }, (_, i) => {
      const score = weights.reduce((sum, weight, k) => sum + weight * refined[k * size + i], bias);
      return 1 / (1 + Math.exp(-score));
    });
  }

  function dice(found, mask) {
    const count = (test) => mask.filter(test).length;
    return (2 * count((is, i) => is && found[i])) / (count((is) => is) + count((_, i) => found[i]));
  }

  // what is let through in nuclei and outside, as shares of what arrives: of all maps, then of each; not finite where
  // nothing arrives, the ratio also where nothing is let through
  function measure(given, [spatialAt, channelAt]) {
    const spatial = moved(given.spatial, spatialAt), channel = moved(given.channel, channelAt);
    const refined = refine(given, spatial, channel), before = energies(given, given.features);
    const shares = energies(given, refined).map((pair, n) => pair.map((value, side) => value / before[n][side]));
    const chance = given.readout && probabilities(given, refined);
    return {
      spatial, channel, refined, shares, chance,
      ratio: shares[0][0] / shares[0][1],
      dice: chance && dice(chance.map((value) => value >= 0.5), given.mask),
    };
  }

  const pure = { read, measure };
  if (typeof document === "undefined") {
    module.exports = pure;
    return;
  }
  if (window.histolabGates) return; // the script stands beside every figure that needs it, and runs once
  window.histolabGates = pure;

  const SIZE = 704, PANEL = 344, GAP = SIZE - 2 * PANEL, HEAD = 40; // of the canvas: two panels a row, words above each
  const BUTTONS = [["both open", [0, 0]], ["as learned", [1, 1]], ["spatial alone", [1, 0]], ["channel alone", [0, 1]]];

  const element = window.histolabElement; // elements.js
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  // book.css holds them, for both colour schemes; each as red, green, blue
  function coloursOf(figure) {
    const style = getComputedStyle(figure), parse = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return Object.fromEntries(["ground", "ink", "seen", "unseen", "negative"].map((name) => [name, parse(style.getPropertyValue(`--demo-${name}`).trim())]));
  }

  const css = (colour) => `rgb(${colour.join(", ")})`;
  const between = (from, to, share) => from.map((value, k) => value + share * (to[k] - value));

  // sides of cells where a map of yes and no changes: [x, y, x, y] in cells
  function edges(map, { width, height }) {
    const found = [];
    for (let i = 0; i < map.length; i += 1) {
      const x = i % width, y = (i - x) / width;
      if (x + 1 < width && map[i] !== map[i + 1]) found.push([x + 1, y, x + 1, y + 1]);
      if (y + 1 < height && map[i] !== map[i + width]) found.push([x, y + 1, x + 1, y + 1]);
    }
    return found;
  }

  // a map as a picture of one pixel a cell
  function picture(values, { width, height }, colourOf) {
    const canvas = element("canvas", { width, height }), c = canvas.getContext("2d"), shown = c.createImageData(width, height);
    for (let i = 0; i < width * height; i += 1) shown.data.set([...colourOf(values[i]), 255], 4 * i);
    c.putImageData(shown, 0, 0);
    return canvas;
  }

  function lines(c, sides, cell, colour, width) {
    c.beginPath();
    for (const [x0, y0, x1, y1] of sides) { c.moveTo(x0 * cell, y0 * cell); c.lineTo(x1 * cell, y1 * cell); }
    c.strokeStyle = css(colour);
    c.lineWidth = width;
    c.lineCap = "square";
    c.stroke();
  }

  // one of the panels, the nth: words, a picture, outlines on it
  function panel(c, n, given, colours, [words, shown, ...outlines]) {
    const high = (PANEL * given.height) / given.width, cell = PANEL / given.width;
    c.save();
    c.translate((n % 2) * (PANEL + GAP), Math.floor(n / 2) * (HEAD + high + GAP));
    c.fillStyle = css(colours.ink);
    c.font = "24px sans-serif";
    c.fillText(words, 2, 28, PANEL - 4);
    c.translate(0, HEAD);
    c.imageSmoothingEnabled = false;
    c.drawImage(shown, 0, 0, PANEL, high);
    c.save();
    c.beginPath();
    c.rect(0, 0, PANEL, high);
    c.clip();
    for (const [sides, colour, width] of outlines) lines(c, sides, cell, colour, width);
    c.restore();
    c.strokeStyle = css(colours.ink);
    c.lineWidth = 2;
    c.strokeRect(1, 1, PANEL - 2, high - 2);
    c.restore();
  }

  // the darkest of a map: what 1 % of its cells exceed
  function darkest(values) {
    const sorted = values.map(Math.abs).sort();
    return sorted[Math.floor(0.99 * (sorted.length - 1))] || sorted.at(-1) || 1;
  }

  function draw(c, colours, photo, given, nuclei, found, k) {
    const of = (values) => values.subarray(k * given.size, (k + 1) * given.size), whole = of(given.features), most = darkest(whole);
    const local = found.channel.length === given.features.length, own = local ? of(found.channel) : new Float64Array(given.size).fill(found.channel[k]);
    const feature = (value) => between(colours.ground, value < 0 ? colours.negative : colours.seen, Math.sqrt(Math.min(1, Math.abs(value) / most)));
    const gate = (value) => between([0, 0, 0], colours.ground, value), chance = (value) => between(colours.ground, colours.seen, value);
    const true_ = [nuclei, colours.unseen, 2.5];
    const panels = [
      ["the tile", photo, true_],
      ["feature map Fe", picture(whole, given, feature), true_],
      [`\u00d7 spatial gate, mean ${mean(found.spatial).toFixed(2)}`, picture(found.spatial, given, gate), true_],
      [`\u00d7 channel gate, ${local ? "mean " : ""}${mean(own).toFixed(2)}`, picture(own, given, gate), true_],
      ["= refined map Fr", picture(of(found.refined), given, feature), true_],
    ];
    if (found.chance) {
      const yes = edges(Array.from(found.chance, (value) => value >= 0.5), given);
      panels.push(["read-out of all maps", picture(found.chance, given, chance), true_, [yes, colours.ground, 5], [yes, colours.ink, 2.5]]);
    }
    c.fillStyle = css(colours.ground);
    c.fillRect(0, 0, c.canvas.width, c.canvas.height);
    panels.forEach((one, n) => panel(c, n, given, colours, one));
  }

  function wordsOf(percent) {
    if (percent % 100 === 0) return ["open, 1 everywhere", "as learned", "shut, 0 everywhere"][percent / 100];
    return percent < 100 ? `${percent} % from open to learned` : `${percent - 100} % from learned to shut`;
  }

  function slider(side, id, name) {
    const label = element("label", { for: id, text: `${name}: ` }, side), shown = element("output", { for: id }, label);
    const input = element("input", { type: "range", id, min: 0, max: 200, step: 5, value: 100 }, side);
    const ends = element("div", { class: "demo-ends", "aria-hidden": "true" }, side);
    ["open", "learned", "shut"].forEach((text) => element("span", { text }, ends));
    const tell = () => {
      shown.textContent = wordsOf(Number(input.value));
      input.setAttribute("aria-valuetext", wordsOf(Number(input.value)));
    };
    return { input, tell };
  }

  function legendOf(side, kinds) {
    const legend = element("p", { class: "demo-legend" }, side);
    for (const [kind, text] of kinds) {
      const words = element("span", {}, legend);
      element("span", { class: `demo-swatch demo-swatch-${kind}`, "aria-hidden": "true" }, words);
      element("span", { text }, words);
    }
  }

  function numbersOf(side, names) {
    const list = element("dl", { class: "demo-numbers", "aria-live": "polite" }, side);
    const cells = names.map((name) => {
      const line = element("div", { "aria-atomic": "true" }, list);
      element("dt", { text: name }, line);
      return element("dd", {}, line);
    });
    return (values) => cells.forEach((cell, n) => { if (cell.textContent !== values[n]) cell.textContent = values[n]; });
  }

  const said = (value, text) => (Number.isFinite(value) ? text(value) : "cannot be told");
  const percent = (value) => said(value, (share) => `${(100 * share).toFixed(1)} %`);

  const load = (src) => new Promise((done) => {
    const photo = new Image();
    photo.addEventListener("load", () => done(photo));
    photo.src = src;
  });

  async function gates(figure, data, number) {
    const given = await read(data.features, data.spatial, data.channel, data.mask, data.readout);
    const photo = await load(`data:image/jpeg;base64,${data.image}`), nuclei = edges(given.mask, given);
    figure.querySelector(".demo-static").hidden = true;
    const body = element("div", { class: "demo-body" }, figure);
    const left = element("div", { class: "demo-side" }, body), right = element("div", { class: "demo-side" }, body);
    const words = [
      data.title, data.words, "Panels: the tile, a feature map, the spatial and the channel gate as they stand,",
      `their product with the map${data.readout ? ", and the read-out of all maps" : ""}. Nuclei are outlined.`,
    ];
    const height = 3 * (HEAD + Math.ceil((PANEL * given.height) / given.width) + GAP) - GAP;
    const canvas = element("canvas", { width: SIZE, height, role: "img", "aria-label": words.join(" ") }, left);
    legendOf(left, [
      ["map", `maps: nothing to much, Fe and Fr on one scale${data.readout ? "; read-out: 0 to 1" : ""}`],
      ...(given.features.some((value) => value < 0) ? [["negative", "maps: nothing to much below 0"]] : []),
      ["gate", "gates: shut to open"],
      ["nuclei", "cells of nuclei"],
      ...(data.readout ? [["found", "read-out of 0.5 or more"]] : []),
    ]);
    element("label", { for: `gates-${number}-map`, text: "feature map shown" }, right);
    const choice = element("select", { id: `gates-${number}-map` }, right);
    data.names.forEach((text, value) => element("option", { value, text }, choice));
    const buttons = element("div", { class: "demo-buttons" }, right);
    const examples = BUTTONS.map(([text, at]) => ({ at, button: element("button", { type: "button", text }, buttons) }));
    const reset = element("button", { type: "button", text: "as at first" }, buttons);
    const sliders = ["spatial gate", "channel gate"].map((name, n) => slider(right, `gates-${number}-${n}`, name));
    element("p", { text: `Energy is the sum of squares, over ${data.names.length > 1 ? `all ${data.names.length} maps` : "the map"} where none is named.` }, right);
    const tell = numbersOf(right, [
      "energy in nuclei, let through", "energy outside, let through", "ratio of the two",
      "map shown: in nuclei", "map shown: outside", ...(data.readout ? ["Dice of the read-out, by cells"] : []),
    ]);
    const c = canvas.getContext("2d");

    function show() {
      sliders.forEach((one) => one.tell());
      const at = sliders.map((one) => Number(one.input.value) / 100), k = Number(choice.value), found = measure(given, at);
      draw(c, coloursOf(figure), photo, given, nuclei, found, k);
      examples.forEach((one) => one.button.setAttribute("aria-pressed", String(one.at) === String(at)));
      tell([
        ...found.shares[0].map(percent), said(found.ratio, (value) => value.toFixed(2)), ...found.shares[k + 1].map(percent),
        said(found.dice, (value) => value.toFixed(3)),
      ]);
    }
    function put(at) {
      at.forEach((value, n) => { sliders[n].input.value = 100 * value; });
      show();
    }
    [...sliders.map((one) => one.input), choice].forEach((one) => one.addEventListener("input", show));
    examples.forEach((one) => one.button.addEventListener("click", () => put(one.at)));
    reset.addEventListener("click", () => {
      choice.value = 0;
      put([1, 1]);
    });
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    show();
  }

  function build(figure, number) {
    gates(figure, JSON.parse(figure.querySelector("script[type='application/json']").textContent), number);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".demo[data-kind='gates']").forEach(build));
})();
