// What the scripts of this book's pages share; loaded before each of them.
window.histolabElement = function (name, attributes, parent) {
  "use strict";
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") made.textContent = value; else made.setAttribute(key, value);
  }
  if (parent) parent.appendChild(made);
  return made;
};
