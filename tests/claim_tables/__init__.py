"""How each paper prints its numbers, for the tests that hold the claim files against the texts."""

from tests.claim_tables import dan_nucnet, gland_linknet, haru_net, histoseg, msal_net

__all__ = ["READERS"]

#: How to read each paper, by its key.
READERS = {one.PAPER.key: one.PAPER for one in (haru_net, histoseg, gland_linknet, msal_net, dan_nucnet)}
