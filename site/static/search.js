// The search page: finds sections, with beginnings of words, slips of the finger, and British spelling.
(() => {
  "use strict";
  const SHOWN = 20;

  // One form for what is spelled or inflected in several ways, for records and questions alike.
  const normalize = (term) => {
    let word = term.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
    word = word
      .replace(/i[sz](e|es|ed|er|ers|ing|ation|ations)$/, "iz")
      .replace(/at(e|es|ed|ing|ion|ions|or|ors)$/, "at")
      .replace(/yse(s|d)?$/, "yze$1")
      .replace(/our(s|ed|ing|al)?$/, "or$1")
      .replace(/([^aeiou])re(s|d)?$/, "$1er$2")
      .replace(/([aeiou])ll(ed|ing|er)$/, "$1l$2");
    if (word.length > 4) word = word.replace(/ies$/, "y").replace(/([^s])s$/, "$1");
    return word;
  };

  const search = new MiniSearch({
    fields: ["title", "page", "text"],
    storeFields: ["title", "page", "link", "text", "rank"],
    idField: "link",
    processTerm: normalize,
    searchOptions: {
      boost: { title: 5, page: 3 },
      boostDocument: (id, term, record) => record.rank,
      prefix: (term) => term.length > 2,
      fuzzy: (term) => (term.length > 6 ? 2 : term.length > 4 ? 1 : false),
      weights: { fuzzy: 0.3, prefix: 0.6 },
    },
  });
  search.addAll(window.bookRecords);

  // Places that know more of the words first; then each page once, with its best place.
  const find = (words) => {
    const found = search.search(words);
    const asked = Math.max(1, ...found.map((record) => record.queryTerms.length));
    const worth = (record) => record.score * (record.queryTerms.length / asked) ** 2;
    const pages = new Map();
    for (const record of found.sort((a, b) => worth(b) - worth(a))) {
      if (pages.has(record.page)) pages.get(record.page).more.push(record);
      else pages.set(record.page, { ...record, more: [] });
    }
    return [...pages.values()];
  };
  window.bookSearch = find;

  const excerpt = (record, terms) => {
    const words = record.text.split(" ");
    const isHit = (word) => word.split(/[^\p{L}\p{N}]+/u).some((part) => terms.has(normalize(part)));
    const first = Math.max(0, words.findIndex(isHit) - 8);
    const paragraph = document.createElement("p");
    if (first > 0) paragraph.append("… ");
    for (const word of words.slice(first, first + 30)) {
      const node = isHit(word) ? document.createElement("mark") : document.createElement("span");
      node.textContent = word;
      paragraph.append(node, " ");
    }
    if (first + 30 < words.length) paragraph.append("…");
    return paragraph;
  };

  const show = (words) => {
    const found = find(words);
    const list = document.getElementById("search-results");
    list.replaceChildren();
    for (const record of found.slice(0, SHOWN)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = record.link;
      link.textContent = record.title === record.page ? record.title : `${record.page}: ${record.title}`;
      item.append(link, excerpt(record, new Set(record.terms)));
      const more = record.more.slice(0, 3).map((place) => {
        const further = document.createElement("a");
        further.href = place.link;
        further.textContent = place.title;
        return further;
      });
      if (more.length) {
        const paragraph = document.createElement("p");
        paragraph.append("Also: ");
        more.forEach((further, at) => paragraph.append(at ? ", " : "", further));
        item.append(paragraph);
      }
      list.append(item);
    }
    const count = found.length ? `${found.length} page${found.length > 1 ? "s" : ""}` : "Nothing found";
    document.getElementById("search-summary").textContent = words ? `${count} for “${words}”.` : "";
  };

  const words = (new URLSearchParams(location.search).get("q") || "").trim();
  const field = document.querySelector(".bd-search-container form.bd-search input");
  if (field) {
    field.value = words;
    field.focus();
    field.addEventListener("input", () => show(field.value.trim()));
  }
  show(words);
})();
