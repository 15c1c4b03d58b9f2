// Interactive figures. Everything shown was computed by the chapter; this script looks states up and draws them.
(function () {
  "use strict";
  if (window.histolabDemos) return; // the script stands beside every figure that needs it, and runs once
  window.histolabDemos = true;
  const PALETTE = ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#F0E442", "#0072B2"];

  // value, length, value, length ... -> one label per pixel
  function unpack(runs, size) {
    const labels = new Int32Array(size);
    let at = 0;
    for (let i = 0; i < runs.length; i += 2) {
      labels.fill(runs[i], at, at + runs[i + 1]);
      at += runs[i + 1];
    }
    return labels;
  }

  function isEdge(labels, i, width, height) {
    const x = i % width, y = (i - x) / width, own = labels[i];
    return own > 0 && (x === 0 || y === 0 || x === width - 1 || y === height - 1 ||
      labels[i - 1] !== own || labels[i + 1] !== own || labels[i - width] !== own || labels[i + width] !== own);
  }

  function rgb(colour) {
    return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  }

  // tint each predicted object, then draw the true outlines over it in black
  function paint(context, photo, labels, truth, width, height) {
    context.drawImage(photo, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    for (let i = 0; i < labels.length; i += 1) {
      const at = 4 * i;
      if (labels[i] > 0) {
        const tint = rgb(PALETTE[labels[i] % PALETTE.length]), share = isEdge(labels, i, width, height) ? 1 : 0.5;
        for (let c = 0; c < 3; c += 1) pixels.data[at + c] = (1 - share) * pixels.data[at + c] + share * tint[c];
      }
      if (isEdge(truth, i, width, height)) pixels.data.fill(0, at, at + 3);
    }
    context.putImageData(pixels, 0, 0);
  }

  const element = window.histolabElement; // elements.js

  function build(figure, number) {
    const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const { width, height } = data, size = width * height, truth = unpack(data.true, size);
    figure.querySelector(".demo-static").hidden = true;
    const body = element("div", { class: "demo-body" }, figure);
    const canvas = element("canvas", { width, height, role: "img" }, body);
    const side = element("div", { class: "demo-side" }, body);
    const inputs = data.sliders.map((slider, n) => {
      const id = `demo-${number}-${n}`;
      const label = element("label", { for: id, text: slider.label + ": " }, side);
      const shown = element("output", { for: id, text: "" }, label);
      const input = element("input", { type: "range", id, min: 0, max: slider.values.length - 1, step: 1 }, side);
      input.value = slider.start;
      return { input, shown, values: slider.values };
    });
    const numbers = element("dl", { class: "demo-numbers", "aria-live": "polite" }, side);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const photo = new Image();

    function show() {
      const state = data.states[inputs.map((one) => one.input.value).join(",")];
      inputs.forEach((one) => {
        one.shown.textContent = one.values[one.input.value];
        one.input.setAttribute("aria-valuetext", String(one.values[one.input.value]));
      });
      paint(context, photo, unpack(state.map, size), truth, width, height);
      numbers.replaceChildren();
      for (const [name, value] of state.numbers) {
        const row = element("div", {}, numbers);
        element("dt", { text: name }, row);
        element("dd", { text: Number.isInteger(value) ? String(value) : value.toFixed(2) }, row);
      }
      canvas.setAttribute("aria-label", data.title + " Predicted objects are tinted, true outlines are black.");
    }

    inputs.forEach((one) => one.input.addEventListener("input", show));
    photo.addEventListener("load", show);
    photo.src = "data:image/jpeg;base64," + data.image;
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".demo:not([data-kind])").forEach(build));
})();
