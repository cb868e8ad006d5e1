"""Prefix tree: every token sequence met in a search, by one number each."""


class PrefixTree:
    """Number prefixes so that a sequence reached twice, in whatever way, has one number.

    A prefix is stored as its last token and the number of the prefix before it.

    Example:
        >>> tree = PrefixTree()
        >>> ab = tree.child(tree.child(PrefixTree.ROOT, 1), 2)
        >>> tree.tokens(ab)
        (1, 2)
        >>> tree.child(tree.child(PrefixTree.ROOT, 1), 2) == ab
        True
    """

    ROOT = 0  # the empty prefix

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int]] = [(self.ROOT, -1)]  # parent, last token
        self._children: dict[tuple[int, int], int] = {}

    def child(self, prefix: int, token: int) -> int:
        """Return the number of a prefix extended by a token, giving it one if it has none."""
        node = (prefix, token)
        number = self._children.setdefault(node, len(self._nodes))
        if number == len(self._nodes):
            self._nodes.append(node)
        return number

    def tokens(self, prefix: int) -> tuple[int, ...]:
        """Spell a prefix, first token first."""
        backwards = []
        while prefix != self.ROOT:
            prefix, token = self._nodes[prefix]
            backwards.append(token)
        return tuple(reversed(backwards))
