
/*
 * The parts that all HTML pages share: head, text, numbers, dates, QR codes.
 *
 * It writes to a FILE, and knows neither nginx nor LMDB.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <qrencode.h>

#include "stockcert_html.h"
#include "stockcert_style.h"


#define STOCKCERT_QR_MARGIN  4     /* modules of margin, which the standard
                                      requires */


static void stockcert_html_hundreds(FILE *file, unsigned n);


const char *
stockcert_html_policy(void)
{
    unsigned     len;
    uint8_t      digest[EVP_MAX_MD_SIZE];
    char         base64[2 * EVP_MAX_MD_SIZE];
    static char  policy[256];

    if (policy[0]) {
        return policy;
    }

    if (EVP_Digest(stockcert_style, sizeof(stockcert_style) - 1, digest, &len,
                   EVP_sha256(), NULL)
        != 1)
    {
        return NULL;
    }

    EVP_EncodeBlock((unsigned char *) base64, digest, (int) len);

    snprintf(policy, sizeof(policy), "default-src 'none'; style-src "
             "'sha256-%s'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'", base64);

    return policy;
}


void
stockcert_html_head(FILE *file, const char *class,
    const stockcert_str_t *title, const stockcert_str_t *company)
{
    fprintf(file, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
            "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n<title>");
    stockcert_html_text(file, title);
    fprintf(file, " - ");
    stockcert_html_text(file, company);
    fprintf(file, "</title>\n<style>%s</style>\n</head>\n<body class=\"%s\">\n",
            stockcert_style, class);
}


void
stockcert_html_foot(FILE *file)
{
    fprintf(file, "</body>\n</html>\n");
}


void
stockcert_html_text(FILE *file, const stockcert_str_t *str)
{
    size_t  i;

    for (i = 0; i < str->len; i++) {

        switch (str->data[i]) {

        case '&':
            fputs("&amp;", file);
            break;

        case '<':
            fputs("&lt;", file);
            break;

        case '>':
            fputs("&gt;", file);
            break;

        case '"':
            fputs("&quot;", file);
            break;

        case '\'':
            fputs("&#39;", file);
            break;

        default:
            putc((uint8_t) str->data[i] < 0x20 || str->data[i] == 0x7f
                 ? '?' : str->data[i], file);
            break;
        }
    }
}


void
stockcert_html_id(FILE *file, const stockcert_str_t *code, uint64_t number)
{
    stockcert_html_text(file, code);
    fprintf(file, "-%" PRIu64, number);
}


void
stockcert_html_bdi(FILE *file, const stockcert_str_t *str)
{
    fputs("<bdi>", file);
    stockcert_html_text(file, str);
    fputs("</bdi>", file);
}


size_t
stockcert_html_width(const stockcert_str_t *str)
{
    size_t   i, width;
    uint8_t  ch;

    width = 0;

    for (i = 0; i < str->len; i++) {
        ch = (uint8_t) str->data[i];

        if (ch >= 0xf0) {
            width += 130;

        } else if (ch >= 0xe0) {
            width += 105;

        } else if (ch >= 0xc0) {
            width += 80;

        } else if (ch >= 0x80) {
            /* a later byte of a character */

        } else if (strchr("MWmw@%&", ch)) {
            width += 115;

        } else if (ch >= 'A' && ch <= 'Z') {
            width += 82;

        } else {
            width += ch == ' ' ? 35 : 66;
        }
    }

    return width;
}


void
stockcert_html_number(FILE *file, uint64_t n)
{
    char         digits[24];
    const char  *p;
    size_t       left;

    left = (size_t) snprintf(digits, sizeof(digits), "%" PRIu64, n);

    for (p = digits; *p; p++, left--) {

        if (p > digits && left % 3 == 0) {
            putc(',', file);
        }

        putc(*p, file);
    }
}


void
stockcert_html_words(FILE *file, uint64_t n)
{
    int                 i;
    uint64_t            unit;
    const char         *space;
    static const char  *units[] = { " quadrillion", " trillion", " billion",
                                    " million", " thousand", "" };

    if (n > STOCKCERT_SHARES_MAX) {
        stockcert_html_number(file, n);
        return;
    }

    space = "";
    unit = 1000000000000000;

    for (i = 0; i < 6; i++, unit /= 1000) {

        if (n / unit == 0) {
            continue;
        }

        fputs(space, file);
        stockcert_html_hundreds(file, (unsigned) (n / unit));
        fputs(units[i], file);

        n %= unit;
        space = " ";
    }
}


static void
stockcert_html_hundreds(FILE *file, unsigned n)
{
    static const char  *ones[] = { "", "one", "two", "three", "four", "five",
                                   "six", "seven", "eight", "nine", "ten",
                                   "eleven", "twelve", "thirteen", "fourteen",
                                   "fifteen", "sixteen", "seventeen",
                                   "eighteen", "nineteen" };
    static const char  *tens[] = { "", "", "twenty", "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty",
                                   "ninety" };

    if (n >= 100) {
        fprintf(file, "%s hundred%s", ones[n / 100], n % 100 ? " " : "");
        n %= 100;
    }

    if (n < 20) {
        fputs(ones[n], file);
        return;
    }

    fprintf(file, "%s%s%s", tens[n / 10], n % 10 ? "-" : "", ones[n % 10]);
}


void
stockcert_html_date(FILE *file, uint64_t time)
{
    time_t              seconds;
    struct tm           tm;
    static const char  *months[] = { "January", "February", "March", "April",
                                     "May", "June", "July", "August",
                                     "September", "October", "November",
                                     "December" };

    seconds = (time_t) (time / 1000000);

    if (gmtime_r(&seconds, &tm) == NULL) {
        fputs("?", file);
        return;
    }

    fprintf(file, "%d %s %d", tm.tm_mday, months[tm.tm_mon],
            tm.tm_year + 1900);
}


/* one path: a run of dark modules is a line of width 1 */

int
stockcert_html_qr(FILE *file, const stockcert_str_t *text)
{
    int            x, y, start, width;
    QRcode        *qr;
    const uint8_t *module;

    if (text->len > STOCKCERT_QR_MAX) {
        return -1;
    }

    qr = QRcode_encodeData((int) text->len, (const uint8_t *) text->data, 0,
                           QR_ECLEVEL_M);
    if (qr == NULL) {
        return -1;
    }

    width = qr->width + 2 * STOCKCERT_QR_MARGIN;
    module = qr->data;

    fprintf(file, "<svg class=\"qr\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"QR code of this certificate's address\" "
            "shape-rendering=\"crispEdges\"><path stroke=\"#000\" d=\"", width,
            width);

    for (y = 0; y < qr->width; y++) {

        for (x = 0; x < qr->width; x++, module++) {

            if (!(*module & 1)) {
                continue;
            }

            start = x;

            while (x + 1 < qr->width && (module[1] & 1)) {
                x++;
                module++;
            }

            fprintf(file, "M%d %d.5h%d", start + STOCKCERT_QR_MARGIN,
                    y + STOCKCERT_QR_MARGIN, x + 1 - start);
        }
    }

    fputs("\"/></svg>", file);

    QRcode_free(qr);

    return 0;
}
