"""Tests of the comparison itself: does it catch what is wrong, and keep quiet otherwise?"""
