from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.augment import Compose
from lessons_lib.augment import text as tx

FEW = settings(max_examples=50, derandomize=True, deadline=None)
PROSE = st.lists(
    st.sampled_from(["Big", "dogs", "don't", "the", "eat", ",", " ", " ", ".", "(", "–", "7"])
).map("".join)
TEXT = "The big dog, a small cat and the big slow cow like good food near my old house."  # 17 words
TABLE = {"big": ("large", "huge"), "small": ("tiny",), "good": ("fine",), "the": ("this",)}

TRANSFORMS = [
    tx.SynonymReplacement(tx.SYNONYMS, 0.2),
    tx.RandomInsertion(tx.SYNONYMS, 0.2),
    tx.RandomSwap(0.2),
    tx.RandomDeletion(0.2),
    tx.BackTranslation(tx.PhraseTable(tx.ENGLISH_TO_GERMAN), tx.PhraseTable(tx.GERMAN_TO_ENGLISH)),
    Compose([tx.SynonymReplacement(tx.SYNONYMS), tx.RandomSwap()]),
]
every = pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)


def words(text):
    return tx.split_words(text)[0]


@every
def test_contract_of_every_transform(transform):
    texts = list(tx.EXAMPLE_TEXTS)
    result = transform(texts, 0)
    assert texts == list(tx.EXAMPLE_TEXTS)
    assert len(result) == len(texts)
    assert all(isinstance(text, str) and text.endswith(".") for text in result)
    assert result != texts
    assert transform(texts, 0) == result
    rng = np.random.default_rng(0)
    assert transform(texts, rng) == result
    assert transform(texts, rng) != result
    assert len(set(transform(texts[:1] * 20, 0))) > 1  # each text gets its own draw


@every
def test_texts_without_words_stay(transform):
    assert transform(["", "...", "  "], 0) == ["", "...", "  "]


@FEW
@given(text=PROSE)
def test_splitting_loses_nothing(text):
    split, gaps = tx.split_words(text)
    assert len(gaps) == len(split) + 1
    assert "".join(gap + word for gap, word in zip(gaps, [*split, ""], strict=True)) == text
    assert not any(character.isalnum() for gap in gaps for character in gap)


@pytest.mark.parametrize(("alpha", "n_changes"), [(0.0, 1), (0.1, 1), (0.12, 2), (0.2, 3), (1, 4)])
def test_synonym_replacement_changes_so_many_words(alpha, n_changes):
    # Four words can be replaced: big twice, small, good; "the" is a stop word.
    replace = tx.SynonymReplacement(TABLE, alpha)
    for seed in range(20):
        (result,) = replace([TEXT], seed)
        pairs = list(zip(words(TEXT), words(result), strict=True))
        assert sum(old != new for old, new in pairs) == n_changes
        assert all(new in TABLE[old] for old, new in pairs if old != new)
        assert tx.split_words(result)[1] == tx.split_words(TEXT)[1]


def test_synonym_replacement_keeps_capitals_and_leaves_stop_words():
    assert tx.SynonymReplacement({"big": ["large"]})(["Big!"]) == ["Large!"]
    assert tx.SynonymReplacement({"the": ["this"]})(["The dog"]) == ["The dog"]
    own = tx.SynonymReplacement({"the": ["this"], "dog": ["hound"]}, stop_words={"dog"})
    assert own(["The dog"]) == ["This dog"]
    seen = Counter(tx.SynonymReplacement(TABLE)(["big"] * 1000, 0))
    assert set(seen) == {"large", "huge"}
    assert 430 < seen["huge"] < 570  # 4 standard errors are 63


@pytest.mark.parametrize(("alpha", "n_changes"), [(0.0, 1), (0.12, 2), (0.3, 5)])
def test_random_insertion_adds_so_many_synonyms(alpha, n_changes):
    insert = tx.RandomInsertion(TABLE, alpha)
    allowed = {"large", "huge", "tiny", "fine"}
    for seed in range(20):
        (result,) = insert([TEXT], seed)
        added = Counter(words(result)) - Counter(words(TEXT))
        assert added.total() == n_changes
        assert set(added) <= allowed
        assert [word for word in words(result) if word not in allowed] == words(TEXT)
        assert result.endswith(".")
        assert "  " not in result


def test_random_insertion_reaches_every_place():
    results = set(tx.RandomInsertion({"big": ["large"]})(["Big dogs, cats."] * 200, 0))
    assert results == {
        "large Big dogs, cats.",
        "Big large dogs, cats.",
        "Big dogs, large cats.",
        "Big dogs, cats large.",
    }
    assert tx.RandomInsertion({"big": ["large"]})(["No such word."]) == ["No such word."]


def test_random_swap_permutes_the_words():
    for seed in range(20):
        (result,) = tx.RandomSwap(0.1)([TEXT], seed)
        moved = [
            i
            for i, pair in enumerate(zip(words(TEXT), words(result), strict=True))
            if pair[0] != pair[1]
        ]
        assert len(moved) in (0, 2)  # none if both words are "big"
        assert Counter(words(result)) == Counter(words(TEXT))
    (result,) = tx.RandomSwap(1.0)([TEXT], 0)
    assert Counter(words(result)) == Counter(words(TEXT))
    assert tx.split_words(result)[1] == tx.split_words(TEXT)[1]
    assert tx.RandomSwap()(["Word."]) == ["Word."]
    assert set(tx.RandomSwap()(["a b c"] * 100, 0)) == {"b a c", "c b a", "a c b"}


def test_random_deletion_removes_each_word_with_its_probability():
    text = " ".join(f"w{i}" for i in range(20))
    results = tx.RandomDeletion(0.3)([text] * 500, 0)
    kept = np.zeros(20)
    for result in results:
        numbers = [int(word[1:]) for word in result.split(" ")]
        assert numbers == sorted(set(numbers))  # in the old order
        kept[numbers] += 1
    np.testing.assert_allclose(kept / 500, 0.7, atol=0.09)  # 4 standard errors are 0.082
    assert tx.RandomDeletion(0.0)([TEXT]) == [TEXT]
    assert set(tx.RandomDeletion(1.0)(["a b, c."] * 100, 0)) == {"a.", "b.", "c."}


def test_deletion_keeps_the_punctuation_of_what_is_left():
    results = set(tx.RandomDeletion(0.5)(["(One, two; three!)"] * 200, 0))
    assert results == {
        "(One, two; three!)",
        "(One, two!)",
        "(One; three!)",
        "(two; three!)",
        "(One!)",
        "(two!)",
        "(three!)",
    }


def test_back_translation_takes_any_two_callables():
    swapped = tx.BackTranslation(str.upper, lambda text: text.replace("BIG", "HUGE").lower())
    assert swapped(["A big dog.", "A cat."]) == ["a huge dog.", "a cat."]
    with pytest.raises(TypeError, match="to_pivot must be callable, got 'de'"):
        tx.BackTranslation("de", str.upper)
    with pytest.raises(TypeError, match="from_pivot must return a string, got 3"):
        tx.BackTranslation(str.upper, lambda text: 3)(["text"])


def test_phrase_table_prefers_the_longest_phrase():
    table = tx.PhraseTable({"a": ["1"], "a b": ["2"], "a b c": ["3"], "c": ["4"]})
    assert table("a b c") == "3"
    assert table("a b  c") == "3"
    assert table("a b, c") == "2, 4"  # no phrase goes beyond punctuation
    assert table("b a c d") == "b 1 4 d"
    assert table("A b x.") == "2 x."
    choices = tx.PhraseTable({"a": ["x", "y"]})
    assert choices("a a a a") == "x x x x"
    assert set(choices("a " * 50, 0).split()) == {"x", "y"}


def test_example_texts_are_covered_by_both_tables():
    there, back = tx.PhraseTable(tx.ENGLISH_TO_GERMAN), tx.PhraseTable(tx.GERMAN_TO_ENGLISH)
    for options in tx.ENGLISH_TO_GERMAN.values():
        for option in options:
            assert option.lower() in tx.GERMAN_TO_ENGLISH
    phrases = [*tx.ENGLISH_TO_GERMAN.values(), *tx.GERMAN_TO_ENGLISH.values()]
    german = {
        word.lower()
        for options in phrases[: len(tx.ENGLISH_TO_GERMAN)]
        for option in options
        for word in words(option)
    }
    english = {word for phrase in tx.ENGLISH_TO_GERMAN for word in words(phrase)}
    for text in tx.EXAMPLE_TEXTS:
        assert {word.lower() for word in words(there(text))} <= german
        assert {word.lower() for word in words(text)} <= english
        assert back(there(text)).lower() == text.lower()  # the first translations lead back
        variants = set(tx.BackTranslation(there, back)([text] * 30, 0))
        assert len(variants) > 1
        assert all(variant[0] == text[0].upper() or variant[0].isupper() for variant in variants)


def test_tables_are_well_formed():
    for word, synonyms in tx.SYNONYMS.items():
        assert word == word.lower()
        assert word not in synonyms
        assert word not in tx.STOP_WORDS
    assert all(word == word.lower() for word in tx.STOP_WORDS)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tx.RandomSwap(1.5), ValueError, r"alpha must lie in \[0, 1\], got 1.5"),
        (lambda: tx.RandomDeletion(-0.1), ValueError, r"p must lie in \[0, 1\], got -0.1"),
        (lambda: tx.RandomInsertion({}, 2), ValueError, r"alpha must lie in \[0, 1\], got 2"),
        (lambda: tx.SynonymReplacement({"a": "bc"}), ValueError, "synonyms must map each entry"),
        (lambda: tx.SynonymReplacement({"a": []}), ValueError, "synonyms must map each entry"),
        (
            lambda: tx.PhraseTable({"Haus": ["house"]}),
            ValueError,
            "phrases must have entries",
        ),
        (lambda: tx.RandomSwap()("one text"), TypeError, "texts must be a list of strings"),
        (lambda: tx.RandomSwap()([b"bytes"]), TypeError, "texts must be a list of strings"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
