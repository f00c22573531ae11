r"""Transforms of text.

A batch is a list of strings, one for each text. Words are changed; what stands between them (spaces
and punctuation) stays where it is as far as it can.

The four operations of "easy data augmentation" are :class:`SynonymReplacement`,
:class:`RandomInsertion`, :class:`RandomSwap` and :class:`RandomDeletion`. The first three change
:math:`n = \max(1, \lfloor \alpha\, l \rfloor)` words of a text with :math:`l` words: long texts can
bear more changes than short ones. :class:`BackTranslation` goes to another language and back.

The tables in capital letters are made for the book's examples, far too small for anything else.

References
----------
J. Wei, K. Zou, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text
Classification Tasks", EMNLP-IJCNLP 2019, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lessons_lib._validation import check_interval
from lessons_lib.augment._tables import (
    ENGLISH_TO_GERMAN,
    EXAMPLE_TEXTS,
    GERMAN_TO_ENGLISH,
    STOP_WORDS,
    SYNONYMS,
)
from lessons_lib.augment._transform import RandomState, Transform

__all__ = [
    "ENGLISH_TO_GERMAN",
    "EXAMPLE_TEXTS",
    "GERMAN_TO_ENGLISH",
    "STOP_WORDS",
    "SYNONYMS",
    "BackTranslation",
    "PhraseTable",
    "RandomDeletion",
    "RandomInsertion",
    "RandomSwap",
    "SynonymReplacement",
    "split_words",
]

Synonyms = Mapping[str, Sequence[str]]
Translator = Callable[[str], str]

_WORD = re.compile(r"(\w+(?:['’-]\w+)*)")


def split_words(text: str) -> tuple[list[str], list[str]]:
    """Split a text into its words and the gaps around them.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    words : list of str
        Runs of letters and digits; an apostrophe or a hyphen inside belongs to the word.
    gaps : list of str
        What stands before the first word, between the words, and after the last: one more.

    Examples
    --------
    >>> split_words("Well, it's fine!")
    (['Well', "it's", 'fine'], ['', ', ', ' ', '!'])
    """
    parts = _WORD.split(text)
    return parts[1::2], parts[::2]


class _TextTransform(Transform[list[str]]):
    def _check(self, data: list[str]) -> list[str]:
        # A string is a sequence of strings, too: its letters would become the texts.
        if isinstance(data, str) or not all(isinstance(text, str) for text in data):
            raise TypeError(f"texts must be a list of strings, got {data!r}.")
        return list(data)

    def _apply(self, data: list[str], rng: np.random.Generator) -> list[str]:
        return [self._change(text, rng) for text in data]

    def _change(self, text: str, rng: np.random.Generator) -> str:
        """Return one text, transformed."""
        raise NotImplementedError


@dataclass(frozen=True)
class SynonymReplacement(_TextTransform):
    r"""Replace :math:`n` random words by one of their synonyms each.

    Only words that have synonyms and are no stop words are chosen; if there are fewer than
    :math:`n`, all of them. A capital letter at the beginning stays, and so does the number of
    words, unless a synonym consists of several.

    Parameters
    ----------
    synonyms : mapping of str to sequence of str
        Synonyms of words in lower case.
    alpha : float in [0, 1], default=0.1
        Share of words to replace; at least one is.
    stop_words : collection of str, default=STOP_WORDS
        Words in lower case that are left alone.

    Examples
    --------
    >>> replace = SynonymReplacement({"big": ["large", "huge"]})
    >>> replace(["Big dogs eat a lot."], random_state=1)
    ['Large dogs eat a lot.']
    """

    synonyms: Synonyms
    alpha: float = 0.1
    stop_words: Collection[str] = STOP_WORDS

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha, 0.0, 1.0)
        _check_table("synonyms", self.synonyms)

    def _change(self, text: str, rng: np.random.Generator) -> str:
        words, gaps = split_words(text)
        places = _replaceable(words, self.synonyms, self.stop_words)
        n_changes = min(_number_of_changes(self.alpha, words), len(places))
        for place in rng.choice(places, n_changes, replace=False) if places else ():
            synonym = _pick(self.synonyms[words[place].lower()], rng)
            words[place] = _match_capital(synonym, words[place])
        return _join(words, gaps)


@dataclass(frozen=True)
class RandomInsertion(_TextTransform):
    r"""Insert a synonym of a random word at a random place, :math:`n` times.

    Adds :math:`n` words if the text has any word with synonyms. Words are chosen from the original
    text only.

    Parameters
    ----------
    synonyms : mapping of str to sequence of str
        Synonyms of words in lower case.
    alpha : float in [0, 1], default=0.1
        Number of insertions as a share of the words; at least one is made.
    stop_words : collection of str, default=STOP_WORDS
        Words in lower case whose synonyms are not inserted.

    Examples
    --------
    >>> RandomInsertion({"big": ["large"]})(["Big dogs eat a lot."], random_state=1)
    ['Big dogs large eat a lot.']
    """

    synonyms: Synonyms
    alpha: float = 0.1
    stop_words: Collection[str] = STOP_WORDS

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha, 0.0, 1.0)
        _check_table("synonyms", self.synonyms)

    def _change(self, text: str, rng: np.random.Generator) -> str:
        words, gaps = split_words(text)
        sources = [words[i].lower() for i in _replaceable(words, self.synonyms, self.stop_words)]
        for _ in range(_number_of_changes(self.alpha, words) if sources else 0):
            synonym = _pick(self.synonyms[_pick(sources, rng)], rng)
            place = int(rng.integers(len(words) + 1))
            words.insert(place, synonym)
            # In front of a word goes a space after the new one; at the end, a space before it.
            gaps.insert(*((place + 1, " ") if place < len(words) - 1 else (place, " ")))
        return _join(words, gaps)


@dataclass(frozen=True)
class RandomSwap(_TextTransform):
    r"""Let two random words change places, :math:`n` times.

    The words stay the same, only their order changes. A text of one word stays as it is.

    Parameters
    ----------
    alpha : float in [0, 1], default=0.1
        Number of swaps as a share of the words; at least one is made.

    Examples
    --------
    >>> RandomSwap()(["Big dogs eat a lot."], random_state=0)
    ['Big dogs eat lot a.']
    """

    alpha: float = 0.1

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha, 0.0, 1.0)

    def _change(self, text: str, rng: np.random.Generator) -> str:
        words, gaps = split_words(text)
        for _ in range(_number_of_changes(self.alpha, words) if len(words) > 1 else 0):
            i, j = rng.choice(len(words), 2, replace=False)
            words[i], words[j] = words[j], words[i]
        return _join(words, gaps)


@dataclass(frozen=True)
class RandomDeletion(_TextTransform):
    """Delete each word with probability `p`; if that hits all, one random word is kept.

    Parameters
    ----------
    p : float in [0, 1], default=0.1
        The probability.

    Examples
    --------
    >>> RandomDeletion(0.4)(["Big dogs eat a lot."], random_state=2)
    ['eat lot.']
    """

    p: float = 0.1

    def __post_init__(self) -> None:
        check_interval("p", self.p, 0.0, 1.0)

    def _change(self, text: str, rng: np.random.Generator) -> str:
        words, gaps = split_words(text)
        if not words:
            return text
        keep = rng.random(len(words)) >= self.p
        if not keep.any():
            keep[rng.integers(len(words))] = True
        kept = np.flatnonzero(keep)
        # Each word keeps the gap before it; the end stays the end.
        before = [gaps[0], *(gaps[i] for i in kept[1:])]
        return _join([words[i] for i in kept], [*before, gaps[-1]])


@dataclass(frozen=True)
class PhraseTable:
    """Translator that looks phrases up in a table, the longest that fits first.

    It translates from left to right and keeps the order; words that no phrase covers and
    punctuation pass unchanged. The result begins with a capital letter if the text does.

    Parameters
    ----------
    phrases : mapping of str to sequence of str
        Translations of each phrase. A phrase is one word or several, in lower case, with single
        spaces.

    Examples
    --------
    >>> table = PhraseTable({"the house": ["das Haus"], "is": ["ist"], "big": ["groß"]})
    >>> table("The house is not big.")
    'Das Haus ist not groß.'
    """

    phrases: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        _check_table("phrases", self.phrases)

    def __call__(self, text: str, random_state: RandomState = None) -> str:
        """Translate one text.

        Parameters
        ----------
        text : str
            The text.
        random_state : int, Generator or None, default=None
            Source of the choice between several translations. None takes the first one.

        Returns
        -------
        str
            The translation.
        """
        rng = None if random_state is None else np.random.default_rng(random_state)
        words, gaps = split_words(text)
        translated, new_gaps = [], [gaps[0]]
        start = 0
        while start < len(words):
            stop = self._longest(words, gaps, start)
            options = self.phrases.get(" ".join(words[start:stop]).lower(), words[start:stop])
            translated.append(options[0] if rng is None else _pick(options, rng))
            new_gaps.append(gaps[stop])
            start = stop
        if translated:
            translated[0] = _match_capital(translated[0], words[0])
        return _join(translated, new_gaps)

    def _longest(self, words: list[str], gaps: list[str], start: int) -> int:
        """Return the end of the longest phrase that begins at `start`; at least one word."""
        stop = start + 1
        while stop < len(words) and gaps[stop].isspace():  # no phrase goes beyond punctuation
            stop += 1
        while stop > start + 1 and " ".join(words[start:stop]).lower() not in self.phrases:
            stop -= 1
        return stop


@dataclass(frozen=True)
class BackTranslation(_TextTransform):
    """Translate each text into a pivot language and back.

    What comes back says the same in other words, if the translators are good. The number of words
    may change.

    Parameters
    ----------
    to_pivot, from_pivot : callable
        Any functions from a string to a string. A :class:`PhraseTable` is also given the random
        numbers, to choose between its translations; of other functions, variety must come from
        themselves.

    References
    ----------
    R. Sennrich, B. Haddow, A. Birch, "Improving Neural Machine Translation Models with
    Monolingual Data", ACL 2016, section 3.

    Examples
    --------
    >>> there, back = PhraseTable(ENGLISH_TO_GERMAN), PhraseTable(GERMAN_TO_ENGLISH)
    >>> there("The service was slow.")
    'Die Bedienung war langsam.'
    >>> BackTranslation(there, back)(["The service was slow."], random_state=2)
    ['The waiter was slow.']
    """

    to_pivot: Translator
    from_pivot: Translator

    def __post_init__(self) -> None:
        for name in ("to_pivot", "from_pivot"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} must be callable, got {getattr(self, name)!r}.")

    def _change(self, text: str, rng: np.random.Generator) -> str:
        for name in ("to_pivot", "from_pivot"):
            translator = getattr(self, name)
            known = isinstance(translator, PhraseTable)
            text = translator(text, rng) if known else translator(text)
            if not isinstance(text, str):
                raise TypeError(f"{name} must return a string, got {text!r}.")
        return text


def _check_table(name: str, table: Mapping[str, Sequence[str]]) -> None:
    for entry, options in table.items():
        if isinstance(options, str) or len(options) == 0:
            raise ValueError(
                f"{name} must map each entry to a non-empty list of strings, "
                f"got {options!r} for {entry!r}."
            )
        if entry != entry.lower():
            raise ValueError(f"{name} must have entries in lower case, got {entry!r}.")


def _number_of_changes(alpha: float, words: Sequence[str]) -> int:
    return max(1, int(alpha * len(words)))


def _replaceable(
    words: Sequence[str], synonyms: Synonyms, stop_words: Collection[str]
) -> list[int]:
    """Return the places of the words that have synonyms and are no stop words."""
    lowered = [word.lower() for word in words]
    return [i for i, word in enumerate(lowered) if word in synonyms and word not in stop_words]


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _match_capital(word: str, model: str) -> str:
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def _join(words: Sequence[str], gaps: Sequence[str]) -> str:
    pairs = zip(gaps, [*words, ""], strict=True)
    return "".join(part for pair in pairs for part in pair)
