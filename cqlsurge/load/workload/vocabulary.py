"""Words: lists of names and places, and an endless vocabulary in which each number has a word of its own."""

from __future__ import annotations

import functools
import hashlib
import struct

#: phrases are consecutive ones of so many words
PHRASE_WORDS = 1 << 16
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_LOREM = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat "
    "duis aute irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint occaecat "
    "cupidatat non proident sunt culpa qui officia deserunt mollit anim id est laborum"
)
_FIRST = (
    "Ada Alan Amara Anna Anton Aya Ben Bora Carla Chen Clara Dana David Diego Elena Elif Emma Erik Eva Farid Fatima "
    "Finn Grace Hana Hugo Ida Igor Ines Ivan Jana Jonas Jun Kai Karim Lara Lena Leo Lin Lucia Luka Maria Marta Mei "
    "Milan Mina Nadia Nils Nina Noah Nora Olga Omar Otto Paul Petra Rafa Rosa Sam Sara Sofia Tara Theo Tomas Uma Vera "
    "Yuki Zoe"
)
_LAST = (
    "Abe Ahmed Ali Andersen Bauer Berg Brown Chen Costa Cruz Diaz Dubois Eriksen Ferrari Fischer Garcia Gomez Haas "
    "Hansen Hughes Ivanov Jansen Jensen Johnson Jones Kaya Keller Kim Koch Kovac Kowalski Lee Lopez Marino Martin "
    "Meyer Mori Moreau Muller Nagy Nguyen Novak Olsen Patel Perez Popov Rossi Sanchez Santos Sato Schmidt Silva Singh "
    "Smith Suzuki Tanaka Taylor Torres Wagner Walker Weber Wilson Wong Yilmaz Young Zhang"
)
_CITIES = (
    "Accra Amsterdam Athens Atlanta Auckland Bangkok Beijing Belgrade Berlin Bogota Boston Brussels Budapest Cairo "
    "Chicago Copenhagen Dakar Delhi Denver Dublin Geneva Hamburg Hanoi Havana Helsinki Istanbul Jakarta Kyiv Kyoto "
    "Lagos Lima Lisbon London Lyon Madrid Manila Melbourne Mexico Milan Montreal Mumbai Munich Nairobi Oslo Paris "
    "Porto Prague Quito Rabat Riga Rome Santiago Seattle Seoul Sofia Stockholm Sydney Taipei Tallinn Tokyo Toronto "
    "Tunis Vienna Vilnius Warsaw Zagreb Zurich"
)
VOCABULARIES = {
    "lorem": tuple(_LOREM.split()),
    "first_name": tuple(_FIRST.split()),
    "last_name": tuple(_LAST.split()),
    "city": tuple(_CITIES.split()),
}


def vocabulary_word(vocabulary: str, index: int) -> str:
    """The index-th word: of a list, or of the endless vocabulary `words`, where each index has a word of its own."""
    words = VOCABULARIES.get(vocabulary)
    if words is not None:
        return words[index % len(words)]
    # Digits of a number in syllables; words of few syllables first, none twice.
    syllables = len(_CONSONANTS) * len(_VOWELS)
    index += syllables
    letters = ""
    while index:
        index, syllable = divmod(index, syllables)
        letters = _CONSONANTS[syllable // len(_VOWELS)] + _VOWELS[syllable % len(_VOWELS)] + letters
    return letters


@functools.lru_cache(maxsize=4)
def phrase_words(seed: int, vocabulary: str) -> tuple[str, ...]:
    """The PHRASE_WORDS words, of which phrases are consecutive ones, going round at the end."""
    size = len(VOCABULARIES.get(vocabulary, ())) or 2000
    words = [vocabulary_word(vocabulary, index) for index in range(size)]
    start = hashlib.shake_256(b"cqlsurge phrases %s %d" % (vocabulary.encode(), seed)).digest(4 * PHRASE_WORDS)
    return tuple([words[number % size] for number in struct.unpack(f"<{PHRASE_WORDS}I", start)])
