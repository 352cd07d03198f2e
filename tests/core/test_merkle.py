"""The tree against its definition, word by word as RFC 9162 has it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azcn_events.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    entry_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from azcn_events.errors import ProofRefused

SIZES = (1, 2, 3, 4, 7, 8, 255, 256, 257, 511, 512, 513, 700)
LEAVES = [sha256(str(n).encode()).digest() for n in range(70_000)]
LARGE = (65_535, 65_536, 65_537, 70_000)


def split(size: int) -> int:
    """Give the largest power of two smaller than size."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def root_of(leaves: list[bytes]) -> bytes:
    """Section 2.1.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root_of(leaves[k:])]
    return [*path(index - k, leaves[k:]), root_of(leaves[:k])]


def subproof(old: int, leaves: list[bytes], *, known: bool = True) -> list[bytes]:
    """Section 2.1.4.1."""
    if old == len(leaves):
        return [] if known else [root_of(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*subproof(old, leaves[:k], known=known), root_of(leaves[k:])]
    return [*subproof(old - k, leaves[k:], known=False), root_of(leaves[:k])]


def tree_of(size: int) -> Tree:
    """Grow a tree over the first leaves."""
    tree = Tree(lambda low, high: LEAVES[low:high])
    tree.grow(size)
    return tree


@given(st.lists(st.binary(max_size=3), max_size=40), st.data())
def test_a_frontier_has_the_root_whatever_the_pieces(
    entries: list[bytes], data: st.DataObject
) -> None:
    """One by one or in pieces, the root is that of the definition."""
    leaves = list(map(entry_hash, entries))
    frontier = Frontier()
    at = 0
    while at < len(leaves):
        end = data.draw(st.integers(at + 1, len(leaves)))
        frontier.extend(leaves[at:end])
        at = end
        assert root_of(leaves[:at]) == frontier.root()
    assert (len(leaves), root_of(leaves)) == (frontier.size, frontier.root())


def test_nothing_has_the_hash_of_nothing() -> None:
    """There is a root before there is a leaf."""
    assert EMPTY_ROOT == Frontier().root() == tree_of(0).root(0) == root_of([])


@pytest.mark.parametrize("size", SIZES)
def test_proofs_are_those_of_the_definition(size: int) -> None:
    """And each is accepted, of every root and leaf looked at."""
    tree, leaves = tree_of(SIZES[-1]), LEAVES[:size]
    root = tree.root(size)
    assert root_of(leaves) == root
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = tree.inclusion(index, size)
        assert path(index, leaves) == proof
        verify_inclusion(index, size, leaves[index], proof, root)
    for old in {1, 2, size // 3, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = tree.consistency(old, size)
        assert subproof(old, leaves) == proof
        verify_consistency(old, size, proof, root_of(leaves[:old]), root)


def test_two_levels_of_tiles() -> None:
    """A tree of more than 256 full tiles, grown in steps as a log does."""
    tree = tree_of(1000)
    for size in LARGE:
        tree.grow(size)
        frontier = Frontier()
        frontier.extend(LEAVES[:size])
        assert frontier.root() == tree.root(size)
        for index in (0, 255, 256, 65_535, size - 1):
            if index < size:
                proof = tree.inclusion(index, size)
                verify_inclusion(index, size, LEAVES[index], proof, tree.root(size))
        for old in (1, 257, 65_535, size):
            proof = tree.consistency(old, size)
            verify_consistency(old, size, proof, tree.root(old), tree.root(size))
    assert 70_000 == tree.size


def test_growing_again_changes_nothing() -> None:
    """Nor does growing to less."""
    tree = tree_of(700)
    before = tree.root(600)
    tree.grow(700)
    tree.grow(3)
    assert (700, before) == (tree.size, tree.root(600))


def test_what_has_not_grown_cannot_be_asked() -> None:
    """Instead of a wrong hash there is an error."""
    tree = tree_of(300)
    with pytest.raises(ValueError, match="grow first"):
        tree.root(1024)
    with pytest.raises(ValueError, match="grow first"):
        tree.hashes(3, 0, 1)


@given(st.integers(1, 80), st.data())
def test_no_other_proof_is_accepted(size: int, data: st.DataObject) -> None:
    """Every change of index, size, leaf, root or proof is refused."""
    tree = tree_of(100)
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree.inclusion(index, size), tree.root(size)
    leaf = LEAVES[index]
    other = st.integers(-1, 90).filter(lambda n: n != index)
    wrong = [
        (data.draw(other), size, leaf, proof, root),
        (index, size, LEAVES[index + 1], proof, root),
        (index, size, leaf, proof, LEAVES[99]),
        (index, size, leaf, [*proof, leaf], root),
        (index, size, leaf[:31], proof, root),
        (index, size, leaf, [*proof[:-1], b""], root),
    ]
    wrong += [(index, size, leaf, proof[:-1], root)] if proof else []
    for case in wrong:
        with pytest.raises(ProofRefused, match="inclusion proof"):
            verify_inclusion(*case)


@given(st.integers(1, 80), st.data())
def test_no_other_consistency_is_accepted(new: int, data: st.DataObject) -> None:
    """Every change of sizes, roots or proof is refused."""
    tree = tree_of(100)
    old = data.draw(st.integers(1, new))
    proof, roots = tree.consistency(old, new), (tree.root(old), tree.root(new))
    wrong = [
        (old, new, proof, (LEAVES[99], roots[1])),
        (old, new, proof, (roots[0], LEAVES[99])),
        (old, new, [*proof, LEAVES[0]], roots),
        (old, new, [*proof, LEAVES[0][:31]], roots),
        (0, new, proof, roots),
        (new + 1, new, proof, roots),
        (-1, new, [], roots),
    ]
    wrong += [(old, new, proof[:-1], roots)] if proof else []
    for a, b, path_, (before, after) in wrong:
        with pytest.raises(ProofRefused, match="consistency proof"):
            verify_consistency(a, b, path_, before, after)


TREE = tree_of(8)
ROOTS = {size: TREE.root(size) for size in range(1, 9)}


@pytest.mark.parametrize(
    ("index", "size", "change", "problem"),
    [
        (8, 8, lambda proof: proof, "index 8 is not within a tree of size 8"),
        (-1, 8, lambda proof: proof, "index -1 is not within a tree of size 8"),
        (0, 8, lambda proof: proof[:-1], "2 hashes are too few"),
        (0, 8, lambda proof: [*proof, proof[0]], "4 hashes are too many"),
        (
            0,
            8,
            lambda proof: [proof[0][:31], *proof[1:]],
            "a hash has 31 bytes, not 32",
        ),
        (0, 8, lambda proof: proof[::-1], "it leads to another root"),
    ],
)
def test_why_an_inclusion_is_refused(
    index: int, size: int, change: Callable[[list[bytes]], list[bytes]], problem: str
) -> None:
    """The error says what is wrong with it."""
    proof = change(TREE.inclusion(0, 8))
    with pytest.raises(ProofRefused) as refused:
        verify_inclusion(index, size, LEAVES[0], proof, ROOTS[8])
    assert ("inclusion proof", problem) == (refused.value.what, refused.value.problem)


@pytest.mark.parametrize(
    ("old", "new", "change", "roots", "problem"),
    [
        (0, 8, list, (3, 8), "nothing can be proved of sizes 0 and 8"),
        (8, 3, list, (3, 8), "nothing can be proved of sizes 8 and 3"),
        (3, 8, lambda proof: proof[:-1], (3, 8), "3 hashes are too few"),
        (3, 8, lambda proof: [*proof, proof[0]], (3, 8), "5 hashes are too many"),
        (3, 8, lambda _: [], (3, 8), "it is empty"),
        (4, 8, lambda _: [], (4, 8), "it is empty"),
        (3, 8, lambda _: [b""], (3, 8), "a hash has 0 bytes, not 32"),
        (3, 8, list, (2, 8), "it leads to another root of the smaller tree"),
        (3, 8, list, (3, 7), "it leads to another root of the larger tree"),
        (8, 8, list, (8, 8), "trees of one size have the same root, and need no proof"),
        (
            8,
            8,
            lambda _: [],
            (7, 8),
            "trees of one size have the same root, and need no",
        ),
    ],
)
def test_why_a_consistency_is_refused(
    old: int,
    new: int,
    change: Callable[[list[bytes]], list[bytes]],
    roots: tuple[int, int],
    problem: str,
) -> None:
    """The error says what is wrong with it."""
    proof = change(TREE.consistency(3, 8))
    with pytest.raises(ProofRefused) as refused:
        verify_consistency(old, new, proof, *(ROOTS[size] for size in roots))
    assert "consistency proof" == refused.value.what
    assert refused.value.problem.startswith(problem)
    assert "this consistency proof proves nothing: " in str(refused.value)


def test_a_level_that_is_not_there_has_no_hashes() -> None:
    """Nor has it a hash of nothing."""
    assert b"" == tree_of(300).hashes(3, 0, 0)
