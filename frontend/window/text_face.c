/*
 * Fonts: the monospaced one of the system in four styles, and others for characters that it has not, in fontconfig's
 * order. On the window's thread.
 */
#include <errno.h>
#include <stdlib.h>

#include <fontconfig/fontconfig.h>

#include <biscuit/error.h>

#include "frontend/window/text_internal.h"

#define STYLES	      4 /* TEXT_BOLD and TEXT_ITALIC */
#define FALLBACKS_MAX 64

struct fallback {
	FcPattern *pattern; /* of `sorted` */
	TTF_Font *font;	    /* NULL: not opened yet */
	bool bad;	    /* cannot be opened */
};

struct faces {
	int pixels;
	int width, height, ascent; /* of a cell */
	TTF_Font *styles[STYLES];
	FcConfig *config;
	FcFontSet *sorted;
	struct fallback fallbacks[FALLBACKS_MAX];
	int n_fallbacks;
};

static FcPattern *wish(unsigned style)
{
	FcPattern *p = FcPatternCreate();

	if (!p)
		return NULL;
	FcPatternAddString(p, FC_FAMILY, (const FcChar8 *)"monospace");
	FcPatternAddInteger(p, FC_SPACING, FC_MONO);
	FcPatternAddBool(p, FC_SCALABLE, FcTrue);
	FcPatternAddBool(p, FC_COLOR, FcFalse);
	FcPatternAddInteger(p, FC_WEIGHT, style & TEXT_BOLD ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
	FcPatternAddInteger(p, FC_SLANT, style & TEXT_ITALIC ? FC_SLANT_ITALIC : FC_SLANT_ROMAN);
	return p;
}

static TTF_Font *open_pattern(const FcPattern *p, int pixels)
{
	FcChar8 *path;
	TTF_Font *font;
	int index = 0;

	if (FcPatternGetString(p, FC_FILE, 0, &path) != FcResultMatch)
		return NULL;
	FcPatternGetInteger(p, FC_INDEX, 0, &index);
	font = TTF_OpenFontIndex((const char *)path, pixels, index & 0xffff);
	if (font) {
		TTF_SetFontHinting(font, TTF_HINTING_LIGHT);
		TTF_SetFontKerning(font, 0);
	}
	return font;
}

/* What the face lacks of the style is made up. */
static void make_up(const FcPattern *p, unsigned style, TTF_Font *font)
{
	int weight = FC_WEIGHT_REGULAR, slant = FC_SLANT_ROMAN, made = TTF_STYLE_NORMAL;

	FcPatternGetInteger(p, FC_WEIGHT, 0, &weight);
	FcPatternGetInteger(p, FC_SLANT, 0, &slant);
	if (style & TEXT_BOLD && weight < FC_WEIGHT_DEMIBOLD)
		made |= TTF_STYLE_BOLD;
	if (style & TEXT_ITALIC && slant == FC_SLANT_ROMAN)
		made |= TTF_STYLE_ITALIC;
	if (made != TTF_STYLE_NORMAL)
		TTF_SetFontStyle(font, made);
}

static TTF_Font *open_style(struct faces *f, unsigned style)
{
	FcPattern *p = wish(style), *found;
	TTF_Font *font = NULL;
	FcResult result;

	if (!p)
		return NULL;
	FcConfigSubstitute(f->config, p, FcMatchPattern);
	FcDefaultSubstitute(p);
	found = FcFontMatch(f->config, p, &result);
	FcPatternDestroy(p);
	if (!found)
		return NULL;
	font = open_pattern(found, f->pixels);
	if (font)
		make_up(found, style, font);
	FcPatternDestroy(found);
	return font;
}

static void find_fallbacks(struct faces *f)
{
	FcPattern *p = wish(0);
	FcResult result;

	if (!p)
		return;
	FcConfigSubstitute(f->config, p, FcMatchPattern);
	FcDefaultSubstitute(p);
	f->sorted = FcFontSort(f->config, p, FcTrue, NULL, &result);
	FcPatternDestroy(p);
	for (int i = 0; f->sorted && i < f->sorted->nfont && f->n_fallbacks < FALLBACKS_MAX; i++)
		f->fallbacks[f->n_fallbacks++].pattern = f->sorted->fonts[i];
}

static void measure(struct faces *f)
{
	int minx, maxx, miny, maxy, width, height, advance = 0;

	f->height = TTF_FontHeight(f->styles[0]);
	/* Letters may reach deeper than the font says. */
	if (!TTF_SizeUTF8(f->styles[0], "_gj|", &width, &height) && height > f->height)
		f->height = height;
	f->ascent = TTF_FontAscent(f->styles[0]);
	if (TTF_GlyphMetrics32(f->styles[0], 'M', &minx, &maxx, &miny, &maxy, &advance) || advance < 1)
		advance = f->pixels / 2;
	f->width = advance > 0 ? advance : 1;
	f->height = f->height > 0 ? f->height : 1;
}

int faces_create(int pixels, struct faces **out)
{
	struct faces *f = calloc(1, sizeof(*f));

	if (!f)
		return bis_fail(ENOMEM, "no memory for fonts");
	f->pixels = pixels;
	if (TTF_Init()) {
		free(f);
		return bis_fail(ENOENT, "no letters for the window: %s", TTF_GetError());
	}
	f->config = FcInitLoadConfigAndFonts();
	for (unsigned i = 0; f->config && i < STYLES; i++)
		f->styles[i] = open_style(f, i);
	if (!f->styles[0]) {
		faces_destroy(f);
		return bis_fail(ENOENT, "no monospaced font for the window: install one (Debian: fonts-dejavu-core)");
	}
	find_fallbacks(f);
	measure(f);
	*out = f;
	return 0;
}

void faces_destroy(struct faces *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->n_fallbacks; i++)
		if (f->fallbacks[i].font)
			TTF_CloseFont(f->fallbacks[i].font);
	for (unsigned i = 0; i < STYLES; i++)
		if (f->styles[i])
			TTF_CloseFont(f->styles[i]);
	if (f->sorted)
		FcFontSetDestroy(f->sorted);
	if (f->config)
		FcConfigDestroy(f->config);
	TTF_Quit();
	free(f);
}

void faces_cell(const struct faces *f, int *width, int *height, int *ascent)
{
	*width = f->width;
	*height = f->height;
	*ascent = f->ascent;
}

static TTF_Font *open_fallback(struct faces *f, struct fallback *b)
{
	if (b->font || b->bad)
		return b->font;
	b->font = open_pattern(b->pattern, f->pixels);
	b->bad = !b->font;
	/* A higher font than that of the cells would be cut. */
	if (b->font && TTF_FontHeight(b->font) > f->height)
		TTF_SetFontSize(b->font, f->pixels * f->height / TTF_FontHeight(b->font));
	return b->font;
}

TTF_Font *faces_for(struct faces *f, uint32_t character, unsigned style)
{
	TTF_Font *font = f->styles[style & (TEXT_BOLD | TEXT_ITALIC)];

	if (font && TTF_GlyphIsProvided32(font, character))
		return font;
	if (TTF_GlyphIsProvided32(f->styles[0], character))
		return f->styles[0];
	for (int i = 0; i < f->n_fallbacks; i++) {
		struct fallback *b = &f->fallbacks[i];
		FcCharSet *has;

		if (FcPatternGetCharSet(b->pattern, FC_CHARSET, 0, &has) != FcResultMatch ||
		    !FcCharSetHasChar(has, character))
			continue;
		font = open_fallback(f, b);
		if (font && TTF_GlyphIsProvided32(font, character))
			return font;
	}
	return NULL;
}
