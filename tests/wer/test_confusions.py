from asr.wer.confusions import Confusions, alignments, confusions, worst_utterances
from asr.wer.nist import Segment
from asr.wer.score import Score, score


def scored(*pairs: tuple[str, str]) -> Score:
    references = [Segment(str(i), text) for i, (text, _) in enumerate(pairs)]
    hypotheses = {str(i): text for i, (_, text) in enumerate(pairs)}
    return score(references, hypotheses, "verbatim-1")


def test_errors_are_counted_by_word_most_frequent_first_then_by_spelling() -> None:
    result = scored(
        ("THE CAT", "A CAT"),
        ("THE DOG", "A DOG"),
        ("AN APE", "AND APE"),
        ("ONE OR TWO", "ONE TWO"),
        ("UP", "UP UP"),
    )

    assert confusions(result, alignments(result)) == Confusions(
        substitutions=((("THE", "A"), 2), (("AN", "AND"), 1)),
        deletions=(("OR", 1),),
        insertions=(("UP", 1),),
    )


def test_all_confusions_together_are_the_errors_of_the_score() -> None:
    result = scored(("A B C D", "B X D E"), ("", "A"), ("A", ""))

    found = confusions(result, alignments(result))

    total = result.total.words
    assert sum(n for _, n in found.substitutions) == total.substitutions
    assert sum(n for _, n in found.deletions) == total.deletions
    assert sum(n for _, n in found.insertions) == total.insertions


def test_an_utterance_without_a_hypothesis_has_no_confusions_and_is_not_the_worst() -> None:
    result = score([Segment("a", "X Y")], {}, "verbatim-1")

    assert confusions(result, alignments(result)) == Confusions((), (), ())
    assert worst_utterances(result, 5) == []


def test_the_worst_utterances_are_neither_just_short_nor_just_long() -> None:
    long_text = " ".join("ABCDEFGHIJKLMNOPQRST")
    result = scored(
        ("YES", "NO"),  # 1 error of 1 word: 1 * 1.0 = 1
        (long_text, long_text.replace("A B C", "X Y Z")),  # 3 of 20: 3 * 0.15 = 0.45
        ("A B C D", "A X Y Z"),  # 3 of 4: 3 * 0.75 = 2.25
        ("RIGHT", "RIGHT"),
    )

    assert [utterance.id for utterance in worst_utterances(result, 9)] == ["2", "0", "1"]
    assert [utterance.id for utterance in worst_utterances(result, 1)] == ["2"]


def test_words_recognised_in_silence_are_the_worst_of_all() -> None:
    result = scored(("A B C", "X Y Z"), ("", "THANK YOU"))

    assert worst_utterances(result, 1)[0].id == "1"


def test_of_two_silences_the_one_with_more_words_is_worse() -> None:
    result = scored(("", "OH"), ("", "THANK YOU FOR WATCHING"))

    assert [utterance.id for utterance in worst_utterances(result, 2)] == ["1", "0"]
