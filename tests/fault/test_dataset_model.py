"""What the other tests of this folder rely on: the model sees each kind of violation."""

import numpy as np
import pyarrow as pa
import pytest

from dataset_model import Call, Content, History, Violation, find_order

A, B, C = (Content(seed, rows=10, row_group_rows=5) for seed in range(3))


def call(kind, name, began, ended=None, outcome="done", **keys):
    """Without `ended` the call was never answered."""
    answered = ended is not None
    return Call(kind, name, began=began, ended=ended if answered else float("inf"),
                outcome=outcome if answered else None, **keys)


def possible(calls, before, after):
    return find_order(calls, before, after) is not None


def test_an_acknowledged_upload_is_there():
    put = [call("put", "x", 0, 1, content=A)]
    assert possible(put, {"x": None}, {"x": A})
    assert not possible(put, {"x": None}, {"x": None})
    assert not possible(put, {"x": B}, {"x": B})


def test_an_upload_that_was_not_answered_is_there_or_not_and_never_another():
    put = [call("put", "x", 0, content=A)]
    assert possible(put, {"x": B}, {"x": A})
    assert possible(put, {"x": B}, {"x": B})
    assert not possible(put, {"x": B}, {"x": None})
    assert not possible(put, {"x": B}, {"x": C})


def test_of_two_uploads_one_after_the_other_the_later_one_stays():
    puts = [call("put", "x", 0, 1, content=A), call("put", "x", 2, 3, content=B)]
    assert possible(puts, {"x": None}, {"x": B})
    assert not possible(puts, {"x": None}, {"x": A})


def test_of_two_uploads_at_once_either_stays():
    puts = [call("put", "x", 0, 2, content=A), call("put", "x", 1, 3, content=B)]
    assert possible(puts, {"x": None}, {"x": A})
    assert possible(puts, {"x": None}, {"x": B})


def test_only_one_of_two_creates_or_of_two_replaces_of_one_version_succeeds():
    for only_if, before in (("absent", None), (C, C)):
        puts = [call("put", "x", 0, 2, content=A, only_if=only_if),
                call("put", "x", 1, 3, content=B, only_if=only_if)]
        assert not possible(puts, {"x": before}, {"x": B})
        puts[0].outcome = "exists" if before is None else "moved on"
        assert possible(puts, {"x": before}, {"x": B})


def test_an_unanswered_upload_may_come_before_an_acknowledged_one_that_saw_it():
    puts = [call("put", "x", 0, content=A), call("put", "x", 1, 2, content=B, only_if=A)]
    assert possible(puts, {"x": None}, {"x": B})
    assert not possible(puts[1:], {"x": None}, {"x": B})


def test_a_rename_moves_wholly_or_not_at_all():
    rename = [call("rename", "x", 0, to="y", overwrite=True)]
    before = {"x": A, "y": B}
    assert possible(rename, before, {"x": None, "y": A})
    assert possible(rename, before, before)
    assert not possible(rename, before, {"x": A, "y": A})
    assert not possible(rename, before, {"x": None, "y": B})
    assert not possible(rename, before, {"x": None, "y": None})


def by_halves(calls, before, after):
    return find_order(calls, before, after, renames_by_halves=True) is not None


def test_a_rename_by_halves_that_was_cut_is_a_drop():
    before, cut = {"x": A, "y": B}, {"x": None, "y": B}
    unanswered = [call("rename", "x", 0, to="y", overwrite=True)]
    answered = [call("rename", "x", 0, 1, to="y", overwrite=True)]
    assert by_halves(unanswered, before, cut)
    assert not possible(unanswered, before, cut)
    assert not by_halves(unanswered, before, {"x": None, "y": None})
    assert not by_halves(answered, before, cut)
    assert by_halves(answered, before, {"x": None, "y": A})


def test_what_a_rename_by_halves_moves_may_be_seen_at_neither_name():
    before, after = {"x": A, "y": None}, {"x": None, "y": A}
    rename = call("rename", "x", 0, 9, to="y")
    absent = [call("read", "x", 1, 2, outcome="absent"), call("read", "y", 3, 4, outcome="absent")]
    assert by_halves([rename, *absent], before, after)
    assert not possible([rename, *absent], before, after)
    # Once it is at the other name it stays, and it is never at both.
    there = call("read", "y", 1, 2, content=A)
    assert not by_halves([rename, there, call("read", "y", 3, 4, outcome="absent")], before, after)
    assert not by_halves([rename, there, call("read", "x", 3, 4, content=A)], before, after)


def test_a_rename_by_halves_whose_target_was_taken_goes_back_unless_its_name_was_taken_too():
    before = {"x": A, "y": None}
    rename = call("rename", "x", 0, 9, to="y", outcome="exists")
    taken = call("put", "y", 3, 4, content=B)
    absent = call("read", "x", 1, 2, outcome="absent")
    assert by_halves([rename, absent, taken], before, {"x": A, "y": B})
    assert not by_halves([rename, absent], before, {"x": A, "y": None})
    assert not by_halves([rename, absent, taken], before, {"x": None, "y": B})
    new = call("put", "x", 5, 6, content=C)
    assert by_halves([rename, absent, taken, new], before, {"x": C, "y": B})
    assert not by_halves([rename, absent, taken, new], before, {"x": None, "y": B})


def test_what_was_read_was_there():
    read = [call("read", "x", 2, 3, content=A)]
    put = [call("put", "x", 0, 1, content=B)]
    assert possible(read, {"x": A}, {"x": A})
    assert not possible(put + read, {"x": A}, {"x": B})
    assert not possible([call("read", "x", 2, 3, outcome="absent")], {"x": A}, {"x": A})


def test_a_dropped_dataset_does_not_come_back():
    drop = [call("drop", "x", 0, 1)]
    assert possible(drop, {"x": A}, {"x": None})
    assert not possible(drop, {"x": A}, {"x": A})
    assert not possible(drop, {"x": None}, {"x": None})
    assert possible([call("drop", "x", 0, 1, outcome="absent")], {"x": None}, {"x": None})


def test_a_dataset_of_a_name_that_nobody_used_is_a_violation():
    with pytest.raises(Violation, match="nobody put"):
        History([("x",)]).settle({"y": A})


def test_a_version_of_two_contents_or_a_content_of_two_versions_is_a_violation():
    for again in (("1", B), ("2", A)):
        history = History([("x",)])
        history.learn("1", A)
        history.learn("1", A)
        with pytest.raises(Violation):
            history.learn(*again)


def test_a_table_is_its_content_bit_for_bit():
    table = Content(seed=7, rows=1000, row_group_rows=100).table()
    assert str(Content.of(pa.concat_tables([table.slice(0, 300), table.slice(300)]))) == \
        "[7, 1000, 100]"
    floats = table["float"].combine_chunks().to_numpy(zero_copy_only=False).copy()
    row = int(np.flatnonzero(~np.isnan(floats))[0])
    floats.view(np.int64)[row] ^= 1
    mask = table["float"].is_null().to_numpy()
    column = table.schema.get_field_index("float")
    with pytest.raises(Violation, match="are not those"):
        Content.of(table.set_column(column, "float", pa.array(floats, mask=mask)))
    with pytest.raises(Violation, match="are not those"):
        Content.of(table.slice(1))
    with pytest.raises(Violation, match="nobody put"):
        Content.of(table.replace_schema_metadata(None))
