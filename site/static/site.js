// A formula that is wider than its box can be scrolled with a finger; let the keyboard reach it too.
(() => {
  "use strict";
  const update = () => {
    for (const box of document.querySelectorAll("div.math")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", update);
  addEventListener("resize", update);
})();
