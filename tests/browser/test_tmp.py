import pytest
from django.contrib.gis.geos import Point
from tests.browser.test_path import *
from tests.browser import test_path as tp
def test_tail(cast, address, new_person, tmp_path, monkeypatch):
    monkeypatch.setattr(tp, "PASSWORD", make.PASSWORD)
    power = make.make_organisation("Pearl", name_zh="明珠供电（虚构）"); op = make.make_organisation("South", name_zh="南方通信（虚构）", sector="telecom")
    make.make_user("alice", power, "admin","editor","negotiator","signatory"); make.make_user("dave", op, "admin","negotiator","signatory")
    tower = make.make_resource(power, name="珠江新城一号塔", owner_code="T-100", place=Point(113.331234,23.131234))
    alice, dave = cast("alice@example.org").signs_in(), cast("dave@example.org").signs_in()
    carol, chen = cast("carol@example.org").signs_in(), cast("chen@example.org")
    visitor = cast("nobody@example.org")
    tp._from_demand_to_agreement(carol, chen, alice, dave, visitor, tower)
def test_from_sign_up_to_verified_pdf(): pass
