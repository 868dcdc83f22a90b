// What tests ask of a page; `one` is an element. browser.py puts this before each expression.

function middle(one) {                                            // in the window, into which it is scrolled if need be
  const {top, bottom} = one.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) one.scrollIntoView({block: "center"});
  const {x, y, width, height} = one.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}

function inFront(one) {                                           // its middle, within the window and under nothing else
  const {x, y, width, height} = one.getBoundingClientRect();
  return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}

function within(one) {                                            // wholly in the window
  const {left, top, right, bottom} = one.getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}

function astray() {                                               // visible words beyond their section or drawing
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (!parent.checkVisibility()) continue;
    const box = (parent.closest("svg, section") || document.body).getBoundingClientRect(), range = document.createRange();
    for (const {0: word, index} of node.data.matchAll(/\S+/g)) {   // blanks at the end of a line may hang out
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      for (const one of range.getClientRects())
        if (one.left < box.left - .5 || one.right > box.right + .5 || one.bottom > box.bottom + .5) found.push(word);
    }
  }
  return found;
}

function overlapping() {                                          // words of one drawing that are in front of each other
  return [...document.querySelectorAll("svg")].flatMap(svg => {
    const words = [...svg.querySelectorAll("text")], boxes = words.map(one => one.getBoundingClientRect());
    return boxes.flatMap((a, i) => boxes.slice(0, i).flatMap((b, j) =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3
        ? [words[i].textContent + " / " + words[j].textContent] : []));
  });
}

async function complaints() {                                     // of axe-core, which is loaded before this
  const {violations, incomplete} = await axe.run({resultTypes: ["violations", "incomplete"]});
  const undecided = incomplete.filter(one => one.id !== "color-contrast");
  return [...violations, ...undecided].map(one => `${one.id}: ${one.nodes.map(node => node.target).join(", ")}`);
}

function luminance(name) {                                        // of a colour of the page, by the Web Content
  document.body.style.color = `var(--${name})`;                   // Accessibility Guidelines
  const parts = getComputedStyle(document.body).color.match(/\d+/g).slice(0, 3).map(part => part / 255);
  document.body.removeAttribute("style");
  const [red, green, blue] = parts.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
