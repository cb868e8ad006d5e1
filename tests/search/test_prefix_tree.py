from asr.search.prefix_tree import PrefixTree


def test_the_root_spells_nothing() -> None:
    assert PrefixTree().tokens(PrefixTree.ROOT) == ()


def test_a_prefix_has_one_number_however_often_it_is_reached() -> None:
    tree = PrefixTree()
    first = tree.child(tree.child(tree.ROOT, 5), 5)
    tree.child(tree.ROOT, 7)
    assert tree.child(tree.child(tree.ROOT, 5), 5) == first
    assert tree.tokens(first) == (5, 5)


def test_different_prefixes_have_different_numbers() -> None:
    tree = PrefixTree()
    one, two = tree.child(tree.ROOT, 1), tree.child(tree.ROOT, 2)
    numbers = {tree.ROOT, one, two, tree.child(one, 2), tree.child(two, 1)}
    assert len(numbers) == 5
