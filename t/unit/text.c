
/* The rules for texts and class codes. */


#include <stdbool.h>

#include "stockcert_entry.h"
#include "stockcert_text.h"
#include "tap.h"


#define CASE(name, text, fault)  { name, text, sizeof(text) - 1, fault }


/* the word that tells a fault from the others; NULL where there is none */

#define EMPTY    "empty"
#define LONG     "255 bytes"
#define UTF8     "valid UTF-8"
#define CONTROL  "control"
#define BLANK    "white space"
#define TURN     "turn the line around"
#define UNSEEN   "can be seen"
#define CODE     "A-Z"


typedef struct {
    const char  *name;
    const char  *text;
    size_t       len;
    const char  *fault;
} case_t;


static void test_texts(void);
static void test_new_texts(void);
static void test_lengths(void);
static void test_every_character(void);
static void test_truncated(void);
static void test_codes(void);
static void test_code_bytes(void);
static void test_escaped(void);
static void test_escaped_to_fit(void);
static void test_quoted(void);
static void test_cleaned(void);
static void test_cleaned_to_fit(void);
static void check(const char *got, const char *fault, const char *name);
static size_t utf8(uint32_t c, char *p);
static bool is_space(uint32_t c);


static const case_t  texts[] = {

    CASE("a letter", "a", NULL),
    CASE("a name", "Salt Bae", NULL),
    CASE("a name with space around", "  Salt Bae ", NULL),
    CASE("punctuation", "\"O'Neil\" <x@y>, \\ {}", NULL),
    CASE("two, three and four bytes", "\xc3\xab\xe6\xa0\xaa\xf0\x9f\x90\x9f",
         NULL),
    CASE("nothing", "", EMPTY),

    /* RFC 3629: the ends of each length, and one before and behind */

    CASE("U+007E", "~", NULL),
    CASE("U+00A1", "\xc2\xa1", NULL),
    CASE("U+07FF", "\xdf\xbf", NULL),
    CASE("U+0800", "\xe0\xa0\x80", NULL),
    CASE("U+D7FF", "\xed\x9f\xbf", NULL),
    CASE("U+E000", "\xee\x80\x80", NULL),
    CASE("U+FEFF", "\xef\xbb\xbf", NULL),
    CASE("U+FFFF", "\xef\xbf\xbf", NULL),
    CASE("U+10000", "\xf0\x90\x80\x80", NULL),
    CASE("U+10FFFF", "\xf4\x8f\xbf\xbf", NULL),
    CASE("U+110000", "\xf4\x90\x80\x80", UTF8),
    CASE("U+13FFFF", "\xf4\xbf\xbf\xbf", UTF8),
    CASE("U+140000", "\xf5\x80\x80\x80", UTF8),
    CASE("U+1FFFFF", "\xf7\xbf\xbf\xbf", UTF8),
    CASE("five bytes", "\xf8\x88\x80\x80\x80", UTF8),
    CASE("six bytes", "\xfc\x84\x80\x80\x80\x80", UTF8),
    CASE("byte FE", "\xfe", UTF8),
    CASE("byte FF", "\xff", UTF8),

    CASE("overlong U+0000", "\xc0\x80", UTF8),
    CASE("overlong /", "\xc0\xaf", UTF8),
    CASE("overlong U+007F", "\xc1\xbf", UTF8),
    CASE("overlong U+0000 of three", "\xe0\x80\x80", UTF8),
    CASE("overlong U+07FF", "\xe0\x9f\xbf", UTF8),
    CASE("overlong U+0000 of four", "\xf0\x80\x80\x80", UTF8),
    CASE("overlong U+FFFF", "\xf0\x8f\xbf\xbf", UTF8),

    CASE("surrogate U+D800", "\xed\xa0\x80", UTF8),
    CASE("surrogate U+DBFF", "\xed\xaf\xbf", UTF8),
    CASE("surrogate U+DC00", "\xed\xb0\x80", UTF8),
    CASE("surrogate U+DFFF", "\xed\xbf\xbf", UTF8),
    CASE("a pair of surrogates", "\xed\xa0\xbd\xed\xb0\x9f", UTF8),

    CASE("a lone continuation", "a\x80" "b", UTF8),
    CASE("one continuation too many", "\xc3\xab\xab", UTF8),
    CASE("a letter for a continuation", "\xe6\xa0" "a", UTF8),
    CASE("a lead for a continuation", "\xe6\xc3\xab", UTF8),
    CASE("cut at the end", "ab\xe6\xa0", UTF8),
    CASE("Latin-1", "Zo\xeb", UTF8),

    /* Cc */

    CASE("U+0000", "a\0b", CONTROL),
    CASE("U+0000 last", "a\0", CONTROL),
    CASE("U+0009", "a\tb", CONTROL),
    CASE("U+000A last", "a\n", CONTROL),
    CASE("U+001F", "\x1f" "a", CONTROL),
    CASE("U+007F", "a\x7f", CONTROL),
    CASE("U+0080", "a\xc2\x80", CONTROL),
    CASE("U+0085, which is space too", "a\xc2\x85", CONTROL),
    CASE("U+009F", "a\xc2\x9f", CONTROL),

    /* White_Space */

    CASE("space", " ", BLANK),
    CASE("no-break space", "\xc2\xa0", BLANK),
    CASE("ideographic space", "\xe3\x80\x80", BLANK),
    CASE("spaces of many kinds", " \xe1\x9a\x80\xe2\x80\xa8\xe2\x80\xaf ",
         BLANK),
    CASE("a letter behind an ideographic space", "\xe3\x80\x80" "a", NULL),
    CASE("a letter before a no-break space", "a\xc2\xa0", NULL),
    CASE("zero width space, which is no White_Space", "\xe2\x80\x8b", NULL)
};


/* what is asked of a new text besides */

static const case_t  new_texts[] = {

    CASE("a letter", "a", NULL),
    CASE("nothing", "", EMPTY),
    CASE("spaces", " \xe3\x80\x80", BLANK),
    CASE("a line feed", "a\n", CONTROL),
    CASE("Latin-1", "Zo\xeb", UTF8),

    CASE("U+202A", "a\xe2\x80\xaa", TURN),
    CASE("U+202B first", "\xe2\x80\xab" "a", TURN),
    CASE("U+202C", "a\xe2\x80\xac" "b", TURN),
    CASE("U+202D", "a\xe2\x80\xad" "b", TURN),
    CASE("U+202E", "abc \xe2\x80\xaetxt.exe", TURN),
    CASE("U+2066", "a\xe2\x81\xa6" "b", TURN),
    CASE("U+2067", "a\xe2\x81\xa7" "b", TURN),
    CASE("U+2068", "a\xe2\x81\xa8" "b", TURN),
    CASE("U+2069", "a\xe2\x81\xa9" "b", TURN),
    CASE("U+202E alone", "\xe2\x80\xae", TURN),

    CASE("the characters beside them",
         "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa" "a", NULL),
    CASE("marks of direction", "\xe2\x80\x8f\xd7\x90\xe2\x80\x8e" "A\xd8\x9c",
         NULL),
    CASE("Hebrew", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", NULL),
    CASE("Persian with a non-joiner",
         "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85",
         NULL),
    CASE("Sinhala with a joiner",
         "\xe0\xb7\x81\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb\xe0\xb7\x93", NULL),
    CASE("an emoji of several", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac",
         NULL),
    CASE("an emoji with a selector", "\xe2\x9d\xa4\xef\xb8\x8f", NULL),
    CASE("a soft hyphen inside", "Donau\xc2\xad" "dampf", NULL),
    CASE("a letter with marks", "e\xcc\x81\xcc\xb1", NULL),
    CASE("marks before a letter", "\xcc\x81\xcc\xb1" "e", NULL),
    CASE("Hebrew with points", "\xd7\xa9\xd6\xb8\xd7\x9c", NULL),
    CASE("Arabic with marks", "\xd9\x85\xd9\x8f\xd8\xad\xd9\x8e", NULL),
    CASE("Devanagari with vowel signs",
         "\xe0\xa4\xb0\xe0\xa4\xbe\xe0\xa4\xae\xe0\xa5\x80", NULL),
    CASE("Tamil with a virama", "\xe0\xae\xa4\xe0\xaf\x8d", NULL),
    CASE("Thai with a tone", "\xe0\xb8\x99\xe0\xb9\x89", NULL),
    CASE("private use beside a letter", "\xee\x80\x80" "a", NULL),
    CASE("U+FFFD", "\xef\xbf\xbd", NULL),
    CASE("U+13443, a hatched place", "\xf0\x93\x91\x83", NULL),
    CASE("a letter of plane 3", "\xf0\xb0\x80\x80", NULL),

    CASE("a zero width space", "\xe2\x80\x8b", UNSEEN),
    CASE("a joiner", "\xe2\x80\x8d", UNSEEN),
    CASE("a joiner between spaces", " \xe2\x80\x8d ", UNSEEN),
    CASE("a mark of direction", "\xe2\x80\x8e", UNSEEN),
    CASE("a byte order mark", "\xef\xbb\xbf", UNSEEN),
    CASE("a soft hyphen", "\xc2\xad", UNSEEN),
    CASE("a Hangul filler", "\xe3\x85\xa4", UNSEEN),
    CASE("a blank Braille pattern", "\xe2\xa0\x80", UNSEEN),
    CASE("a tag", "\xf3\xa0\x81\x81", UNSEEN),
    CASE("a selector", "\xef\xb8\x8f", UNSEEN),
    CASE("a mark", "\xcc\x81", UNSEEN),
    CASE("a mark on a no-break space", "\xc2\xa0\xcc\x81", UNSEEN),
    CASE("an enclosing mark", "\xe2\x83\x9d", UNSEEN),
    CASE("a vowel sign", "\xe0\xa4\xbe", UNSEEN),
    CASE("a Hebrew point", "\xd6\xb8", UNSEEN),
    CASE("a mark above the BMP", "\xf0\x9d\x85\xa5", UNSEEN),
    CASE("U+13441", "\xf0\x93\x91\x81", UNSEEN),
    CASE("U+13442", "\xf0\x93\x91\x82", UNSEEN),
    CASE("U+16FE4", "\xf0\x96\xbf\xa4", UNSEEN),
    CASE("U+FFFC", "\xef\xbf\xbc", UNSEEN),
    CASE("U+FFFE and U+FFFF", "\xef\xbf\xbe\xef\xbf\xbf", UNSEEN),
    CASE("U+1FFFE", "\xf0\x9f\xbf\xbe", UNSEEN),
    CASE("U+2FFFF", "\xf0\xaf\xbf\xbf", UNSEEN),
    CASE("U+3FFFE", "\xf0\xbf\xbf\xbe", UNSEEN),
    CASE("U+FDD0 and U+FDEF", "\xef\xb7\x90\xef\xb7\xaf", UNSEEN),
    CASE("private use", "\xee\x80\x80\xef\xa3\xbf", UNSEEN),
    CASE("private use of plane 15", "\xf3\xb0\x80\x80", UNSEEN),
    CASE("private use of plane 16", "\xf4\x8f\xbf\xbd", UNSEEN),
    CASE("plane 4", "\xf1\x80\x80\x80", UNSEEN),
    CASE("several kinds", "\xe2\xa0\x80 \xe2\x80\x8b\xc2\xa0\xf3\xa0\x80\xa0",
         UNSEEN)
};


static const case_t  codes[] = {

    CASE("one letter", "A", NULL),
    CASE("the last letter", "Z", NULL),
    CASE("two letters", "CS", NULL),
    CASE("digits behind", "A0123459", NULL),
    CASE("8 letters", "ABCDWXYZ", NULL),
    CASE("nothing", "", CODE),
    CASE("9 letters", "ABCDEFGHI", CODE),
    CASE("a digit first", "1A", CODE),
    CASE("a digit alone", "0", CODE),
    CASE("lower case", "cs", CODE),
    CASE("lower case behind", "Cs", CODE),
    CASE("a hyphen", "C-S", CODE),
    CASE("a space behind", "CS ", CODE),
    CASE("a NUL behind", "CS\0", CODE),
    CASE("a NUL first", "\0CS", CODE),
    CASE("a full-width letter", "\xef\xbc\xa3", CODE),
    CASE("a letter with its high bit set", "C\xd3", CODE)
};


int
main(void)
{
    test_texts();
    test_new_texts();
    test_lengths();
    test_every_character();
    test_truncated();
    test_codes();
    test_code_bytes();
    test_escaped();
    test_escaped_to_fit();
    test_quoted();
    test_cleaned();
    test_cleaned_to_fit();

    return tap_done();
}


static void
test_texts(void)
{
    size_t  i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check(stockcert_text_fault(texts[i].text, texts[i].len),
              texts[i].fault, texts[i].name);
    }
}


/* and a text of a ledger, or a legend, is asked the same or less */

static void
test_new_texts(void)
{
    size_t         i;
    const char    *old;
    const case_t  *c;

    for (i = 0; i < sizeof(new_texts) / sizeof(new_texts[0]); i++) {
        c = &new_texts[i];

        check(stockcert_new_text_fault(c->text, c->len), c->fault, c->name);
        check(stockcert_legend_fault(c->text, c->len), c->fault, c->name);

        old = c->fault && strcmp(c->fault, TURN) != 0
              && strcmp(c->fault, UNSEEN) != 0 ? c->fault : NULL;

        check(stockcert_text_fault(c->text, c->len), old, c->name);
    }
}


static void
test_lengths(void)
{
    char  text[STOCKCERT_TEXT_MAX + 1];

    memset(text, 'x', sizeof(text));

    check(stockcert_text_fault(text, 255), NULL, "255 bytes");
    check(stockcert_text_fault(text, 256), LONG, "256 bytes");

    /* bytes count, not characters; a character is not cut to fit */

    memcpy(text + 252, "\xe6\xa0\xaa", 3);
    check(stockcert_text_fault(text, 255), NULL,
          "255 bytes, the last three one character");
    check(stockcert_text_fault(text, 254), UTF8,
          "254 bytes, the last character cut");

    memset(text, ' ', sizeof(text));
    check(stockcert_text_fault(text, 255), BLANK, "255 spaces");
    check(stockcert_text_fault(text, 256), LONG, "256 spaces");
}


/* all that an encoder can make of 0 to 0x1fffff, alone */

static void
test_every_character(void)
{
    char         text[4];
    bool         control, surrogate, fine;
    size_t       len;
    uint32_t     c, wrong;
    const char  *fault;

    wrong = 0;

    for (c = 0; c <= 0x1fffff; c++) {
        len = utf8(c, text);
        fault = stockcert_text_fault(text, len);

        control = c <= 0x1f || (c >= 0x7f && c <= 0x9f);
        surrogate = c >= 0xd800 && c <= 0xdfff;
        fine = !control && !surrogate && c <= 0x10ffff && !is_space(c);

        if ((fault == NULL) != fine) {
            printf("# U+%04X: %s\n", c, fault ? fault : "taken");
            wrong++;
        }
    }

    is_int(wrong, 0, "each character is judged as RFC 3629 and Unicode do");
}


/* a character that its end cuts, in memory that ends there */

static void
test_truncated(void)
{
    char               *copy;
    size_t              i, n;

    static const char  *whole[] = {
        "\xc3\xab", "\xe6\xa0\xaa", "\xf0\x9f\x90\x9f"
    };

    for (i = 0; i < 3; i++) {
        for (n = 1; n < strlen(whole[i]); n++) {
            copy = malloc(n);
            memcpy(copy, whole[i], n);
            check(stockcert_text_fault(copy, n), UTF8,
                  "the beginning of a character");
            free(copy);
        }
    }
}


static void
test_codes(void)
{
    size_t  i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        check(stockcert_code_fault(codes[i].text, codes[i].len),
              codes[i].fault, codes[i].name);
    }
}


static void
test_code_bytes(void)
{
    int   c, wrong;
    char  code[2];
    bool  letter, digit;

    wrong = 0;

    for (c = 0; c <= 0xff; c++) {
        letter = c >= 'A' && c <= 'Z';
        digit = c >= '0' && c <= '9';

        code[0] = (char) c;
        wrong += (stockcert_code_fault(code, 1) == NULL) != letter;

        code[0] = 'A';
        code[1] = (char) c;
        wrong += (stockcert_code_fault(code, 2) == NULL) != (letter || digit);
    }

    is_int(wrong, 0, "code: each byte, first and second");
}


/* name, text, and for the fault what is shown of it */

static void
test_escaped(void)
{
    char                 shown[256];
    size_t               i, len;

    static const case_t  cases[] = {
        CASE("a line", "x\n2026/11/25 00:00:00 [emerg] y",
             "x\\x0a2026/11/25 00:00:00 [emerg] y"),
        CASE("a terminal's sequence", "\x1b[2J\x9b" "2J", "\\x1b[2J\\x9b2J"),
        CASE("the ends of Cc", "\x1f \x7f\xc2\x80\xc2\x9f\xc2\xa0",
             "\\x1f \\x7f\\xc2\\x80\\xc2\\x9f\xc2\xa0"),
        CASE("NUL", "a\0b", "a\\x00b"),
        CASE("characters", "Zo\xc3\xab \xe6\xa0\xaa \xf0\x9f\x90\x9f \\\"'",
             "Zo\xc3\xab \xe6\xa0\xaa \xf0\x9f\x90\x9f \\\"'"),
        CASE("Latin-1", "Zo\xeb!", "Zo\\xeb!"),
        CASE("a line that turns around", "a\xe2\x80\xae" "b\xe2\x81\xa9",
             "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa9"),
        CASE("a mark of direction", "\xe2\x80\x8f", "\xe2\x80\x8f"),
        CASE("a lead, then a letter", "\xe6\xa0" "a", "\\xe6\\xa0a"),
        CASE("a lead, then a character", "\xe6\xc3\xab", "\\xe6\xc3\xab"),
        CASE("a line in an overlong form", "\xc0\x8a", "\\xc0\\x8a"),
        CASE("a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"),
        CASE("cut at the end", "a\xf0\x9f\x90", "a\\xf0\\x9f\\x90"),
        CASE("nothing", "", "")
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = stockcert_text_escape(cases[i].text, cases[i].len, shown,
                                    sizeof(shown));
        is_mem(shown, len + 1, cases[i].fault, strlen(cases[i].fault) + 1,
               "escaped: %s", cases[i].name);
    }
}


static void
test_quoted(void)
{
    char                 word[256];
    size_t               i, len;

    static const case_t  cases[] = {
        CASE("a path", "/var/lib/stock-cert_1/acme,x:@%+.y",
             "/var/lib/stock-cert_1/acme,x:@%+.y"),
        CASE("a space", "/a b", "'/a b'"),
        CASE("what a shell takes", "$(x)`y`;&|<>*?\"\\~#!\n",
             "'$(x)`y`;&|<>*?\"\\~#!\n'"),
        CASE("a quote", "it's", "'it'\\''s'"),
        CASE("characters", "/\xc3\xab", "'/\xc3\xab'"),
        CASE("nothing", "", "''")
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = stockcert_text_quote(cases[i].text, cases[i].len, word,
                                   sizeof(word));
        is_mem(word, len + 1, cases[i].fault, strlen(cases[i].fault) + 1,
               "quoted: %s", cases[i].name);
    }

    len = stockcert_text_quote("a b", 3, word, 14);
    is_mem(word, len + 1, "...", 4, "quoted: it does not fit");
    len = stockcert_text_quote("a b", 3, word, 15);
    is_mem(word, len + 1, "'a b'", 6, "quoted: it fits");
}


/* for each size: no byte behind it, no part of a character or an escape */

static void
test_escaped_to_fit(void)
{
    char               *shown;
    size_t              i, size, len, most, wrong;

    static const char   text[] = "ab\n\xe6\xa0\xaa\xc2\x85 z";
    static const char   whole[] = "ab\\x0a\xe6\xa0\xaa\\xc2\\x85 z";

    /* of "whole": where a part begins, and at the end */

    static const size_t  parts[] = { 0, 1, 2, 6, 9, 17, 18, 19 };

    wrong = 0;

    for (size = 4; size < sizeof(whole) + 2; size++) {
        shown = malloc(size);
        len = stockcert_text_escape(text, sizeof(text) - 1, shown, size);

        for (i = 0, most = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            if (parts[i] + 3 < size) {
                most = parts[i];
            }
        }

        if (size >= sizeof(whole)) {
            wrong += strcmp(shown, whole) != 0;

        } else {
            wrong += len != most + 3 || memcmp(shown, whole, most) != 0
                     || strcmp(shown + most, "...") != 0;
        }

        free(shown);
    }

    is_int(wrong, 0, "escaped: as much as has room, and \"...\"");
}


static void
test_cleaned(void)
{
    char                 clean[STOCKCERT_TEXT_MAX];
    size_t               i, len;

    static const case_t  cases[] = {
        CASE("a name", "CN=Zo\xc3\xab \xf0\x9f\x90\x9f,O=\xe6\xa0\xaa",
             "CN=Zo\xc3\xab \xf0\x9f\x90\x9f,O=\xe6\xa0\xaa"),
        CASE("a line", "a\r\nb\t", "a??b?"),
        CASE("NUL", "a\0b", "a?b"),
        CASE("the ends of Cc", "\x1f \x7f\xc2\x80\xc2\x9f\xc2\xa0",
             "? ???\xc2\xa0"),
        CASE("Latin-1", "Zo\xeb!", "Zo?!"),
        CASE("a lead, then a letter", "\xe6\xa0" "a", "??a"),
        CASE("a lead, then a character", "\xe6\xc3\xab", "?\xc3\xab"),
        CASE("an overlong form", "\xc0\x8a", "??"),
        CASE("a surrogate", "\xed\xa0\x80", "???"),
        CASE("cut at the end", "a\xf0\x9f\x90", "a???"),
        CASE("only control characters", "\n\n", "??"),
        CASE("nothing", "", ""),
        CASE("blank", "  \xe3\x80\x80", "")
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = stockcert_text_clean(cases[i].text, cases[i].len, clean);
        is_mem(clean, len, cases[i].fault, strlen(cases[i].fault),
               "cleaned: %s", cases[i].name);
    }
}


/* characters of each length, at each place of the end */

static void
test_cleaned_to_fit(void)
{
    char    text[STOCKCERT_TEXT_MAX + 8], *clean;
    size_t  i, n, before, len, most, wrong;

    static const char *const  filler[] = {
        "x", "\xc3\xab", "\xe6\xa0\xaa", "\xf0\x9f\x90\x9f"
    };

    clean = malloc(STOCKCERT_TEXT_MAX);
    wrong = 0;

    for (i = 0; i < 4; i++) {
        n = strlen(filler[i]);

        for (before = 0; before < n; before++) {
            memset(text, 'a', before);

            for (len = before; len + n < sizeof(text); len += n) {
                strcpy(text + len, filler[i]);

                if (len + n <= STOCKCERT_TEXT_MAX) {
                    wrong += stockcert_text_clean(text, len + n, clean)
                             != len + n
                             || memcmp(clean, text, len + n) != 0;
                    continue;
                }

                most = before + (252 - before) / n * n;

                wrong += stockcert_text_clean(text, len + n, clean) != most + 3
                         || memcmp(clean, text, most) != 0
                         || memcmp(clean + most, "\xe2\x80\xa6", 3) != 0;
            }
        }
    }

    is_int(wrong, 0, "cleaned: as much as has room, and an ellipsis");

    free(clean);
}


/* a fault is told from the others, and nothing from any */

static void
check(const char *got, const char *fault, const char *name)
{
    if (fault == NULL || got == NULL) {
        ok(got == fault, "%s: %s", name, got ? got : "is one");
        return;
    }

    ok(strstr(got, fault) != NULL, "%s: %s", name, got);
}


static size_t
utf8(uint32_t c, char *p)
{
    size_t  i, len;

    len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (i = len - 1; i > 0; i--) {
        p[i] = (char) (0x80 | (c & 0x3f));
        c >>= 6;
    }

    p[0] = (char) (len == 1 ? c : (0xf00 >> len & 0xff) | c);

    return len;
}


/* PropList.txt, White_Space, without those of Cc */

static bool
is_space(uint32_t c)
{
    size_t                 i;

    static const uint32_t  spaces[] = {
        0x0020, 0x00a0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
        0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f,
        0x3000
    };

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (c == spaces[i]) {
            return true;
        }
    }

    return false;
}
