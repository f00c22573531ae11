/* Explorable figures: native sliders over frames that were drawn when the book was built.
 *
 * The page holds the sliders and the frame at which they start. The other frames are in a
 * script of their own, _static/explorables/<digest>.js, which is loaded when the figure comes
 * near the viewport or a slider is touched. It holds each element of SVG once; a frame is, for
 * each of its panels, a list of runs [first, count, …] of elements. */
(() => {
  "use strict";

  const folder = new URL("explorables/", document.currentScript.src);
  const payloads = (window.explorables ??= {}); // filled by the scripts with frames
  const loading = new Map();

  function load(digest) {
    if (!loading.has(digest)) {
      const loaded = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = new URL(`${digest}.js`, folder);
        script.onload = () => resolve(payloads[digest]);
        script.onerror = () => {
          script.remove();
          loading.delete(digest); // the next touch tries again
          reject(new Error(`${script.src} did not load`));
        };
        document.head.append(script);
      });
      loading.set(digest, loaded);
    }
    return loading.get(digest);
  }

  // The numbers of the elements that make up each panel of a frame.
  function elementsOf(frame) {
    return frame.map((runs) => {
      const numbers = [];
      for (let i = 0; i < runs.length; i += 2) {
        for (let k = 0; k < runs[i + 1]; k++) numbers.push(runs[i] + k);
      }
      return numbers;
    });
  }

  function parse(markup) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.innerHTML = markup;
    return svg.firstElementChild;
  }

  // Replace the elements in which two frames differ; most are the same.
  function change(svg, before, after, elements) {
    const nodes = [...svg.children];
    after.forEach((number, i) => {
      if (number === before[i]) return;
      const node = parse(elements[number]);
      if (i < nodes.length) nodes[i].replaceWith(node);
      else svg.append(node);
    });
    nodes.slice(after.length).forEach((node) => node.remove());
  }

  function start(root) {
    const inputs = [...root.querySelectorAll("input[type=range]")];
    const texts = inputs.map((input) => JSON.parse(input.dataset.texts));
    const picture = root.querySelector(".book-figure");
    const panels = picture.querySelectorAll("svg");
    const problem = root.querySelector(".explorable-problem");
    const place = () => inputs.map((input) => input.valueAsNumber);
    let shown = inputs.map((input) => Number(input.defaultValue)); // the frame now in the page
    let payload;

    function nameValues() {
      inputs.forEach((input, i) => {
        const text = texts[i][input.valueAsNumber];
        input.setAttribute("aria-valuetext", text);
        input.parentElement.querySelector("output").value = text;
      });
    }

    function numberOf(values) {
      return values.reduce((sum, value, i) => sum * payload.shape[i] + value, 0);
    }

    function showFrame() {
      const number = numberOf(place());
      const before = elementsOf(payload.frames[numberOf(shown)]);
      const after = elementsOf(payload.frames[number]);
      panels.forEach((svg, i) => change(svg, before[i], after[i], payload.elements));
      picture.setAttribute("aria-label", payload.alts[number]);
      shown = place();
    }

    async function fetchFrames() {
      try {
        payload = await load(root.dataset.explorable);
      } catch {
        problem.textContent =
          "The other frames of this figure could not be loaded. Move the slider to try again.";
        return;
      }
      problem.textContent = "";
      showFrame();
    }

    root.addEventListener("input", () => {
      nameValues();
      if (payload) showFrame();
      else fetchFrames();
    });
    root.addEventListener("focusin", () => payload || fetchFrames(), { once: true });

    const near = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          near.disconnect();
          fetchFrames();
        }
      },
      { rootMargin: "800px" },
    );
    near.observe(root);
    inputs.forEach((input) => (input.disabled = false));
    nameValues();
  }

  document.querySelectorAll("[data-explorable]").forEach(start);
})();
